"""What the daemon is for: what dies comes back, and no faster than it should."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest

from tests.support.children import exists, kill
from tests.support.daemon import Daemon

KINDS = pytest.mark.parametrize("environ", [{}, {"SUPERD_NO_PIDFD": "1"}], ids=["pidfd", "sigchld"])
QUIET = "stdout_logfile=NONE\nstderr_logfile=NONE\n"


@KINDS
def test_a_child_killed_with_sigkill_comes_back_with_another_pid(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    program = (
        f"[program:x]\ncommand=sleep 1000\nstartsecs=0\nautorestart=true\nrestartgap=0\n{QUIET}"
    )
    with Daemon(tmp_path, program, environ=environ) as daemon:
        first = daemon.spawned("x")

        kill(first)

        assert daemon.expect("exited: x")[0]
        second = daemon.spawned("x")
        assert second != first
        assert daemon.status("x")["restarts"] == 1
        assert not exists(first)


@KINDS
def test_a_hundred_killed_at_once_all_come_back(tmp_path: Path, environ: dict[str, str]) -> None:
    program = (
        "[program:x]\ncommand=sleep 1000\nstartsecs=0\nautorestart=true\nrestartgap=0\n"
        f"numprocs=100\nprocess_name=x%(process_num)d\n{QUIET}"
    )
    with Daemon(tmp_path, program, environ=environ) as daemon:
        before = {answer["process"]: answer["pid"] for answer in daemon.call("status")}
        while 0 in before.values():  # it still starts them
            before = {answer["process"]: answer["pid"] for answer in daemon.call("status")}

        for pid in before.values():
            kill(pid)

        names = set(before)
        while names:
            name = daemon.expect(r"exited: (\S+)")[1]
            names.discard(name)
        after = {answer["process"]: answer["pid"] for answer in daemon.call("status")}
        assert after.keys() == before.keys()
        assert 0 not in after.values()
        assert set(after.values()).isdisjoint(before.values())


def test_a_child_that_dies_at_birth_is_started_once_a_restartgap(tmp_path: Path) -> None:
    program = f"[program:x]\ncommand=true\nstartsecs=0\nautorestart=true\nrestartgap=0.3\n{QUIET}"
    with Daemon(tmp_path, program) as daemon:
        daemon.spawned("x")
        began = monotonic()

        for _ in range(3):
            daemon.spawned("x")

        assert monotonic() - began > 0.8


def test_a_child_older_than_restartgap_comes_back_at_once(tmp_path: Path) -> None:
    program = (
        f"[program:x]\ncommand=sleep 1000\nstartsecs=1\nautorestart=true\nrestartgap=0.9\n{QUIET}"
    )
    with Daemon(tmp_path, program) as daemon:
        first = daemon.running("x")["x"]

        began = monotonic()
        kill(first)
        daemon.spawned("x")

        assert monotonic() - began < 0.5


def test_three_deaths_in_a_row_within_restartgap_are_warned_of_once_with_the_last_lines(
    tmp_path: Path,
) -> None:
    program = (
        "[program:x]\ncommand=sh -c 'echo out of cheese >&2; exit 3'\nstartsecs=0\n"
        "autorestart=true\nrestartgap=0.05\n"
    )
    with Daemon(tmp_path, program) as daemon:
        warning = daemon.expect("WARN looping: x died 3 times in a row")

        assert warning.string.endswith("out of cheese")
        for _ in range(5):
            daemon.spawned("x")
        assert sum("looping" in line for line in daemon.said) == 1
