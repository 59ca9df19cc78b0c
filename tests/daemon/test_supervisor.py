"""Start and end of everything; what signals do is in tests/process/test_superd_lifecycle.py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from supervise.core.machine import Start, State
from supervise.core.spec import GroupSpec
from supervise.daemon.narrate import Narrator
from supervise.daemon.service import Service
from supervise.daemon.supervisor import Supervisor
from tests.support.children import STUBBORN, Announcements, alive, command
from tests.support.inside import House, house, program, run


class Going:
    """In the place of the service: only whether we are going down."""

    stopping: str | None = None


def _supervisor(here: House, timeout: float = 0.0) -> Supervisor:
    return Supervisor(
        here.registry,
        cast("Service", Going()),
        log=here.log,
        narrator=Narrator(here.log),
        shutdown_timeout=timeout,
    )


@pytest.fixture
def said(tmp_path: Path) -> Iterator[Announcements]:
    with Announcements(tmp_path) as made:
        yield made


def test_what_autostarts_starts_in_its_order_and_the_rest_stays(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            groups = [
                GroupSpec(name, priority, (program(name, "sleep 1000", autostart=auto),))
                for name, priority, auto in (("b", 2, True), ("a", 1, True), ("c", 0, False))
            ]

            await _supervisor(here).start_all(groups)

            spawned = [text.split("'")[1] for _, text in here.log.lines if "spawned" in text]
            assert spawned == ["a", "b"]
            assert here.registry.groups["c"].runners["c"].process.state is State.STOPPED

    run(scenario)


def test_nothing_starts_any_more_once_the_end_has_begun(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            supervisor = _supervisor(here)
            await supervisor.start_all([GroupSpec("x", processes=(program("x", "sleep 1000"),))])
            supervisor.shutdown()

            assert await supervisor.run() == "SHUTDOWN"

            late = here.runner(program("late", "sleep 1000"))
            late.tell(Start())
            here.registry.groups["x"].runners["x"].tell(Start())
            assert late.child is None
            assert here.registry.groups["x"].runners["x"].child is None

    run(scenario)


def test_what_outlives_the_shutdown_timeout_is_killed(tmp_path: Path, said: Announcements) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            line = command(tmp_path, STUBBORN, said.path)
            supervisor = _supervisor(here, timeout=0.1)
            spec = program("x", line, stopwaitsecs=1000.0)
            await supervisor.start_all([GroupSpec("x", processes=(spec,))])
            child = int(said.line())
            supervisor.shutdown()

            await supervisor.run()

            assert not alive(child)

    run(scenario)


def test_who_waits_for_the_end_is_told_of_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            supervisor = _supervisor(here)
            waiting = asyncio.ensure_future(supervisor.gone())
            supervisor.shutdown()

            await supervisor.run()

            await waiting

    run(scenario)
