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
    """Wait until the child that ``runner`` has now is gone; False if it cannot be killed.

    There may be another one by then: somebody else may start it the moment it has stopped.
    """
    child = runner.child
    while child is not None and runner.child is child:
        if runner.process.state is State.UNKNOWN:
            return False
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def notice(_: Runner, __: Announce, changed: asyncio.Future[None] = changed) -> bool:
            if not changed.done():
                changed.set_result(None)
            return True

        runner.when(notice)
        await changed
    return True
