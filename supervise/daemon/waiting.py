"""Waiting without polling, and working without making others wait."""

from __future__ import annotations

import asyncio

from supervise.core.machine import Announce, State
from supervise.daemon.process import Runner

TURN = 0.02  # seconds of work after which others get their turn


class Breath:
    """Awaited between the pieces of a long work: clients and timers are heard meanwhile."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()

    async def take(self) -> None:
        """Let the loop turn if we have worked for long enough."""
        if self._loop.time() - self._since > TURN:
            await asyncio.sleep(0)
            self._since = self._loop.time()


async def stopped(runner: Runner) -> bool:
    """Wait until ``runner`` has no child, however long that takes; False if it is UNKNOWN."""
    while runner.child is not None and runner.process.state is not State.UNKNOWN:
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def notice(_: Runner, __: Announce, changed: asyncio.Future[None] = changed) -> bool:
            if not changed.done():
                changed.set_result(None)
            return True

        runner.when(notice)
        await changed
    return runner.child is None
