"""Waiting for a process without polling: for the one change that settles a question."""

from __future__ import annotations

import asyncio

from supervise.core.machine import Announce, State
from supervise.daemon.process import Runner


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
