"""From the groups there are to those there should be, with real children."""

from __future__ import annotations

import asyncio
from pathlib import Path

from supervise.core.machine import Announce, KillFailed, Start, State
from supervise.core.spec import GroupSpec, Plan, ProcessSpec
from supervise.daemon.process import Runner
from supervise.daemon.reload import GroupResult, Reload
from tests.support.children import STUBBORN, Announcements, command, environment_of, kill
from tests.support.inside import House, house, program, run, until

ENVIRONMENT = (("X", "1"),)


def _group(name: str, *processes: ProcessSpec) -> GroupSpec:
    return GroupSpec(name, processes=processes)


async def _apply(reload: Reload, *groups: GroupSpec) -> list[tuple[str, str]]:
    results = reload.apply(reload.compare(Plan(groups=groups)))
    return [(result.group, result.code) async for result in results]


def _pids(here: House) -> dict[str, int | None]:
    return {str(runner.name): runner.process.pid for runner in here.registry}


def _states(here: House) -> dict[str, State]:
    return {str(runner.name): runner.process.state for runner in here.registry}


def _remove_once_stopped(here: House, group: str, process: str) -> None:
    """Remove a group before anybody who waits for its process has had a turn."""

    def notice(_: Runner, change: Announce) -> bool:
        if change.new is State.STOPPED:
            here.registry.remove(group)
        return change.new is State.STOPPED

    here.registry.groups[group].runners[process].when(notice)


def test_a_renewed_process_whose_stop_is_slow_comes_back_with_what_is_new(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Announcements(tmp_path) as said:
            async with house(tmp_path) as here:
                reload = Reload(here.registry)
                line = command(tmp_path, STUBBORN, said.path)
                old = program("x", line, stopwaitsecs=0.3)
                assert await _apply(reload, _group("x", old)) == [("x", "added")]
                first = int(said.line())

                new = program("x", line, stopwaitsecs=0.3, environment=ENVIRONMENT)
                assert await _apply(reload, _group("x", new)) == [
                    ("x", "stopped"),
                    ("x", "updated"),
                ]

                second = int(said.line())
                assert second != first
                assert b"X=1" in environment_of(second)

    run(scenario)


def test_a_process_that_an_operator_starts_during_the_change_gets_what_is_new(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        with Announcements(tmp_path) as said:
            async with house(tmp_path) as here:
                reload = Reload(here.registry)
                line = command(tmp_path, STUBBORN, said.path)
                slow = program("slow", line, group="g", stopwaitsecs=1000.0)
                other = program("other", "sleep 1000", group="g", autostart=False)
                await _apply(reload, _group("g", slow, other))
                child = int(said.line())
                renewed = [
                    program("slow", line, group="g", stopwaitsecs=0.1, environment=ENVIRONMENT),
                    program("other", "sleep 1000", group="g", autostart=False,
                            environment=ENVIRONMENT),
                ]  # fmt: skip
                runners = here.registry.groups["g"].runners
                changing = asyncio.ensure_future(_apply(reload, _group("g", *renewed)))
                await until(runners["slow"], State.STOPPING)
                runners["other"].tell(Start())

                kill(child)
                await changing

                assert runners["other"].spec.environment == ENVIRONMENT
                int(said.line())

    run(scenario)


def test_a_process_that_is_started_again_the_moment_it_stopped_is_stopped_again(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            reload = Reload(here.registry)
            await _apply(reload, _group("x", program("x", "sleep 1000")))
            runner = here.registry.groups["x"].runners["x"]
            loop = asyncio.get_running_loop()

            def restart(_: Runner, change: Announce) -> bool:
                if change.new is State.STOPPED:  # before who waits for that has a turn
                    loop.call_soon(runner.tell, Start())
                return change.new is State.STOPPED

            runner.when(restart)

            new = program("x", "sleep 1000", environment=ENVIRONMENT)
            assert await _apply(reload, _group("x", new)) == [("x", "stopped"), ("x", "updated")]

            assert runner.process.pid is not None
            assert b"X=1" in environment_of(runner.process.pid)

    run(scenario)


def test_a_member_more_and_a_member_less_leave_the_others_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            reload = Reload(here.registry)
            a, b, c = (program(name, "sleep 1000", group="g") for name in "abc")
            await _apply(reload, _group("g", a, b))
            before = _pids(here)

            assert await _apply(reload, _group("g", a, b, c)) == [("g", "updated")]
            assert {**_pids(here), "g:c": None} == {**before, "g:c": None}
            assert await _apply(reload, _group("g", b, c)) == [("g", "stopped"), ("g", "updated")]

            after = _pids(here)
            assert after.keys() == {"g:b", "g:c"}
            assert after["g:b"] == before["g:b"]

    run(scenario)


def test_a_fatal_program_that_was_mended_is_started(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            reload = Reload(here.registry)
            await _apply(reload, _group("x", program("x", "nosuch", startretries=0)))
            assert _states(here) == {"x": State.FATAL}

            await _apply(reload, _group("x", program("x", "sleep 1000", startretries=0)))

            assert _states(here) == {"x": State.RUNNING}

    run(scenario)


def test_a_new_name_for_its_program_alone_restarts_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            reload = Reload(here.registry)
            await _apply(reload, _group("x", program("x", "sleep 1000")))
            before = _pids(here)

            await _apply(reload, _group("x", program("x", "sleep 1000", priority=1)))

            assert _pids(here) == before

    run(scenario)


def test_nothing_to_do_is_nothing_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            reload = Reload(here.registry)
            group = _group("x", program("x", "sleep 1000"))
            await _apply(reload, group)

            assert await _apply(reload, group) == []
            assert GroupResult("x", "added").text == ""

    run(scenario)


def test_a_group_that_cannot_be_stopped_is_a_failure_and_not_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Announcements(tmp_path) as said:
            async with house(tmp_path) as here:
                reload = Reload(here.registry)
                line = command(tmp_path, STUBBORN, said.path)
                await _apply(reload, _group("x", program("x", line, stopwaitsecs=1000.0)))
                child = int(said.line())
                runner = here.registry.groups["x"].runners["x"]
                removing = asyncio.ensure_future(_apply(reload))
                await until(runner, State.STOPPING)

                runner.tell(KillFailed("no right to"))

                assert await removing == [("x", "FAILED")]
                assert list(here.registry.groups) == ["x"]
                kill(child)

    run(scenario)


def test_a_group_that_an_operator_removes_under_its_change_starts_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            reload = Reload(here.registry)
            await _apply(reload, _group("g", program("a", "sleep 1000", group="g")))
            _remove_once_stopped(here, "g", "a")

            results = await _apply(reload, _group("g", program("b", "sleep 1000", group="g")))

            assert results == [("g", "stopped"), ("g", "FAILED")]
            assert not any("spawned: 'b'" in line for _, line in here.log.lines)

    run(scenario)


def test_a_group_that_an_operator_removes_under_its_removal_is_removed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            reload = Reload(here.registry)
            await _apply(reload, _group("g", program("a", "sleep 1000", group="g")))
            _remove_once_stopped(here, "g", "a")

            assert await _apply(reload) == [("g", "stopped"), ("g", "removed")]

    run(scenario)
