"""Commands on a process table with real children, where the order of things is delicate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar, cast

import pytest

from supervise.clock import SystemClock
from supervise.core.machine import State
from supervise.core.spec import GroupSpec, OutputSpec, Plan, ProcessSpec
from supervise.daemon.narrate import Narrator
from supervise.daemon.pending import Result
from supervise.daemon.reading import Reader
from supervise.daemon.reload import Reload
from supervise.daemon.service import Service
from supervise.errors import Refusal
from tests.support.children import STUBBORN, Announcements, command, kill
from tests.support.inside import House, house, program, run, until

T = TypeVar("T")


class Files:
    """In the place of the reader: the plan is what the test says."""

    def __init__(self) -> None:
        self.plan = Plan()

    async def read(self) -> Plan:
        return self.plan


def _service(here: House, *specs: ProcessSpec) -> tuple[Service, Files]:
    for spec in specs:
        here.runner(spec)
    files = Files()
    kit = here.kit
    service = Service(
        here.registry,
        reload=Reload(here.registry),
        reader=cast("Reader", files),
        spawner=kit.spawner,
        clock=SystemClock(),
        plan=Plan(),
        narrator=Narrator(here.log),
    )
    return service, files


async def _all(results: AsyncIterator[T]) -> list[T]:
    return [result async for result in results]


async def _turn() -> None:
    """Let everybody else have a turn of the loop."""
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    await turned.wait()


def _codes(results: list[Result]) -> list[tuple[str, str]]:
    return [(result.name, result.code) for result in results]


def test_a_start_of_what_is_being_removed_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Announcements(tmp_path) as said:
            async with house(tmp_path) as here:
                line = command(tmp_path, STUBBORN, said.path)
                service, _ = _service(here, program("x", line, stopwaitsecs=1000.0))
                await _all(service.start(["x"]))
                child = int(said.line())
                runner = here.registry.groups["x"].runners["x"]
                stopping = asyncio.ensure_future(_all(service.stop(["x"])))
                await until(runner, State.STOPPING)
                waiting = asyncio.ensure_future(_all(service.start(["x"])))
                removing = asyncio.ensure_future(_all(service.update()))
                while not runner.process.held:
                    await _turn()
                held = asyncio.ensure_future(_all(service.start(["x"], wait=False)))
                await asyncio.wait([held])

                kill(child)

                assert _codes(await stopping) == [("x", "stopped")]
                assert [result.code for result in await removing] == ["stopped", "removed"]
                for late in (waiting, held):
                    (result,) = await late
                    assert (result.code, result.text) == ("FAILED", "it is being removed")
                assert here.registry.groups == {}

    run(scenario)


def test_a_start_of_what_is_stopping_starts_it_once_it_has_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Announcements(tmp_path) as said:
            async with house(tmp_path) as here:
                line = command(tmp_path, STUBBORN, said.path)
                service, _ = _service(here, program("x", line, stopwaitsecs=0.2))
                await _all(service.start(["x"]))
                first = int(said.line())
                runner = here.registry.groups["x"].runners["x"]
                stopping = asyncio.ensure_future(_all(service.stop(["x"])))
                await until(runner, State.STOPPING)

                assert _codes(await _all(service.start(["x"]))) == [("x", "started")]

                assert _codes(await stopping) == [("x", "stopped")]
                assert int(said.line()) != first

    run(scenario)


def test_results_come_as_they_settle_and_not_in_the_order_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Announcements(tmp_path) as said:
            async with house(tmp_path) as here:
                line = command(tmp_path, STUBBORN, said.path)
                slow = program("slow", line, stopwaitsecs=0.3, priority=1)
                quick = program("quick", "sleep 1000", priority=2)
                service, _ = _service(here, slow, quick)
                await _all(service.start(["all"]))
                said.line()

                results = await _all(service.stop(["slow", "quick"]))

                assert _codes(results) == [("quick", "stopped"), ("slow", "stopped")]

    run(scenario)


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (["x"], [("x", "started")]),
        (["x", "x"], [("x", "started")]),
        (["nosuch", "x"], [("nosuch", "BAD_NAME"), ("x", "started")]),
        (["nosuch:*"], [("nosuch", "BAD_NAME")]),
        (["broken"], [("broken", "NO_FILE")]),
        (["x*"], [("x", "started")]),
        ([], []),
    ],
)
def test_names_mean_what_people_type(
    tmp_path: Path, names: list[str], codes: list[tuple[str, str]]
) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            service, _ = _service(here, program("x", "sleep 1000"), program("broken", "nosuch"))

            assert sorted(_codes(await _all(service.start(names)))) == sorted(codes)

    run(scenario)


def test_whole_groups_pass_over_what_is_as_it_should_be(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            pair = [program(name, "sleep 1000", group="g") for name in ("a", "b")]
            service, _ = _service(here, *pair)
            assert _codes(await _all(service.start(["g:a"]))) == [("g:a", "started")]

            assert _codes(await _all(service.start(["g:*"]))) == [("g:b", "started")]
            assert _codes(await _all(service.start(["all"]))) == []
            assert _codes(await _all(service.start(["g:a"]))) == [("g:a", "ALREADY_STARTED")]
            await _all(service.stop(["g:b"]))
            assert _codes(await _all(service.stop(["g:b"]))) == [("g:b", "NOT_RUNNING")]
            assert _codes(await _all(service.stop(["g:*"]))) == [("g:a", "stopped")]

    run(scenario)


def test_a_failed_start_tells_the_last_lines_and_where_more_are(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            log = OutputSpec(logfile=str(tmp_path / "x.err"))
            line = "sh -c 'echo no such table >&2; exit 1'"
            service, _ = _service(here, program("x", line, startsecs=5.0, stderr=log))

            (result,) = await _all(service.start(["x"]))

            assert result.code == "SPAWN_ERROR"
            assert result.hint[0].startswith("Exited too quickly")
            assert result.hint[1:] == ("no such table", "more: superctl tail x stderr")

    run(scenario)


def test_nothing_is_done_once_we_are_going_down(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            service, _ = _service(here, program("x", "sleep 1000"))
            service.stopping = "SHUTDOWN"

            for command_ in (service.start(["x"]), service.stop(["x"]), service.update()):
                with pytest.raises(Refusal, match="SHUTDOWN_STATE"):
                    await anext(cast("AsyncIterator[object]", command_))

    run(scenario)


def test_a_group_of_no_processes_is_a_name_all_the_same(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            service, _ = _service(here)
            here.registry.add(GroupSpec("g"))

            assert await _all(service.start(["g:*"])) == []

    run(scenario)
