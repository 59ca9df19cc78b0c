"""The runner with real children: effects are carried out, and every death is heard once."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from supervise.core.machine import ExitStatus, Force, Start, State, Stop
from supervise.core.spec import AutoRestart, OutputSpec
from tests.support.children import (
    STUBBORN,
    Announcements,
    alive,
    command,
    exists,
    kill,
    our_descriptors,
)
from tests.support.inside import house, program, run, until

BOTH = pytest.mark.parametrize("use_pidfd", [True, False], ids=["pidfd", "sigchld"])


@BOTH
def test_an_exit_is_told_with_its_status(tmp_path: Path, *, use_pidfd: bool) -> None:
    async def scenario() -> None:
        async with house(tmp_path, use_pidfd=use_pidfd) as here:
            runner = here.runner(program("x", "sh -c 'exit 7'", autorestart=AutoRestart.NEVER))
            runner.tell(Start())

            change = await until(runner, State.EXITED)

            assert change.status == ExitStatus(7)
            assert runner.child is None
            assert runner.process.pid is None

    run(scenario)


@BOTH
def test_a_signal_death_is_told_with_its_signal(tmp_path: Path, *, use_pidfd: bool) -> None:
    async def scenario() -> None:
        async with house(tmp_path, use_pidfd=use_pidfd) as here:
            runner = here.runner(program("x", "sleep 1000", autorestart=AutoRestart.NEVER))
            runner.tell(Start())
            assert runner.child is not None
            kill(runner.child.pid, signal.SIGKILL)

            change = await until(runner, State.EXITED)

            assert change.status == ExitStatus(-1, signal.SIGKILL)

    run(scenario)


def test_a_child_that_dies_before_startsecs_backs_off_and_gives_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            spec = program("x", "false", startsecs=10.0, startretries=0)
            runner = here.runner(spec)
            runner.tell(Start())

            change = await until(runner, State.FATAL)

            assert change.reason.startswith("Exited too quickly")

    run(scenario)


def test_force_kills_what_does_not_obey(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Announcements(tmp_path) as said:
            async with house(tmp_path) as here:
                line = command(tmp_path, STUBBORN, said.path)
                runner = here.runner(program("x", line, stopwaitsecs=1000.0))
                runner.tell(Start())
                pid = int(said.line())
                runner.tell(Stop())
                assert runner.process.state is State.STOPPING

                runner.tell(Force())
                await until(runner, State.STOPPED)

                assert not alive(pid)

    run(scenario)


@BOTH
def test_nothing_is_left_of_a_child_but_its_log(tmp_path: Path, *, use_pidfd: bool) -> None:
    async def scenario() -> None:
        async with house(tmp_path, use_pidfd=use_pidfd) as here:
            log = OutputSpec(logfile=str(tmp_path / "x.log"))
            spec = program("x", "echo hello", stdout=log, autorestart=AutoRestart.NEVER)
            runner = here.runner(spec)
            runner.tell(Start())
            first = runner.child
            await until(runner, State.EXITED)
            before = our_descriptors()

            for _ in range(5):
                runner.tell(Start())
                await until(runner, State.EXITED)

            assert len(our_descriptors()) == len(before)
            assert first is not None
            assert not exists(first.pid)
            assert (tmp_path / "x.log").read_text() == "hello\n" * 6

    run(scenario)


def test_a_command_with_a_nul_byte_fails_like_any_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            runner = here.runner(program("x", "/bin/echo a\0b", startretries=0))
            runner.tell(Start())

            assert runner.process.state is State.FATAL
            assert "null byte" in runner.process.reason

    run(scenario)


def test_a_runner_that_was_closed_never_starts_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            runner = here.runner(program("x", "sleep 1000"))
            here.registry.remove("x")

            runner.tell(Start())

            assert runner.child is None
            assert runner.process.state is State.STOPPED

    run(scenario)
