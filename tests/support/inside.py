"""The daemon's inside without a daemon: a process table with real children, in one loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from supervise.clock import SystemClock
from supervise.core.machine import Announce, State, Stop
from supervise.core.spec import OutputSpec, Policy, ProcessSpec
from supervise.daemon.bus import Bus
from supervise.daemon.capture import Capture
from supervise.daemon.narrate import Narrator
from supervise.daemon.outputs import OutputMaker
from supervise.daemon.process import Kit, Runner
from supervise.daemon.registry import Registry
from supervise.daemon.waiting import stopped
from supervise.unix.groups import Census
from supervise.unix.listen import SignalListener
from supervise.unix.reap import Reaper
from supervise.unix.spawn import Spawner
from tests.support.children import DEADLINE
from tests.support.heard import Heard

T = TypeVar("T")
NOTHING = OutputSpec(logfile=None)


def program(name: str, command: str, group: str = "", **fields: object) -> ProcessSpec:
    """Give a specification; keys of Policy go there, silent unless told otherwise."""
    policy = {key: fields.pop(key) for key in tuple(fields) if key in Policy.__dataclass_fields__}
    values = {"startsecs": 0.0, "restartgap": 0.0, **policy}
    outputs = {"stdout": NOTHING, "stderr": NOTHING, **fields}
    return ProcessSpec(
        name,
        group or name,
        name,
        command,
        policy=Policy(**values),  # type: ignore[arg-type] # fields by name
        **outputs,  # type: ignore[arg-type]
    )


@dataclass
class House:
    """What a test works with."""

    kit: Kit
    registry: Registry
    log: Heard

    def runner(self, spec: ProcessSpec) -> Runner:
        """Give a process that is STOPPED; it is stopped again in the end."""
        from supervise.core.spec import GroupSpec  # noqa: PLC0415 - one name less at the top

        group = self.registry.groups.get(spec.group)
        if group is None:
            group = self.registry.add(GroupSpec(spec.group, processes=(spec,)))
            return group.runners[spec.name]
        return self.registry.add_process(group, spec)


@contextlib.asynccontextmanager
async def house(directory: Path, *, use_pidfd: bool = True) -> AsyncIterator[House]:
    """Build a process table; at the end everything is stopped and no child is left."""
    loop = asyncio.get_running_loop()
    log = Heard()
    narrator = Narrator(log)
    spawner = Spawner(os.environ, use_pidfd=use_pidfd)
    reaper = Reaper(narrator.orphan)
    listener = SignalListener(loop)
    reaper.install(loop, listener)
    capture = Capture(loop, log)
    kit = Kit(
        loop=loop,
        spawner=spawner,
        reaper=reaper,
        outputs=OutputMaker(capture, str(directory), "test"),
        bus=Bus(log),
        narrator=narrator,
        clock=SystemClock(),
        luck=lambda: 0.5,
        marks={},
        census=Census(loop),
        use_pidfd=use_pidfd,
    )
    registry = Registry(kit)
    try:
        yield House(kit, registry, log)
    finally:
        registry.hold()
        for runner in registry:
            runner.tell(Stop())
            await asyncio.wait_for(stopped(runner), DEADLINE)
        for name in list(registry.groups):
            registry.remove(name)
        reaper.close()
        listener.close()
        capture.close()
        spawner.close()


async def until(runner: Runner, *states: State) -> Announce:
    """Wait for the next change of ``runner`` into one of ``states``."""
    found: asyncio.Future[Announce] = asyncio.get_running_loop().create_future()

    def notice(_: Runner, change: Announce) -> bool:
        if change.new in states and not found.done():
            found.set_result(change)
        return found.done()

    runner.when(notice)
    return await asyncio.wait_for(found, DEADLINE)


def run(scenario: Callable[[], Awaitable[T]]) -> T:
    """Run a scenario in a loop of its own, under one deadline."""

    async def bounded() -> T:
        async with asyncio.timeout(DEADLINE):
            return await scenario()

    return asyncio.run(bounded())
