"""A stop is done when nothing is left, and what takes its time holds up nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.children import (
    LEAVES_BEHIND,
    STUBBORN,
    Announcements,
    alive,
    command,
    ended,
    exists,
    kill,
    status_field,
)
from tests.support.daemon import Daemon

KINDS = pytest.mark.parametrize("environ", [{}, {"SUPERD_NO_PIDFD": "1"}], ids=["pidfd", "sigchld"])
ZOMBIE = """\
import os, signal, sys
leader = os.getpid()
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    member = os.fork()
    if member == 0:
        os.setpgid(0, leader)
        os._exit(0)
    os.waitid(os.P_PID, member, os.WEXITED | os.WNOWAIT)
    with open(sys.argv[1], "w") as fifo:
        fifo.write(f"{os.getpid()}\\n")
while True:
    signal.pause()
"""
PROGRAM = "[program:{name}]\ncommand={command}\nstartsecs=0\nautorestart=true\n{more}\n"


def _program(name: str, line: str, more: str = "") -> str:
    return PROGRAM.format(name=name, command=line, more=more)


@KINDS
def test_a_child_that_ignores_sigterm_is_killed_after_stopwaitsecs(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with Announcements(tmp_path) as said:
        program = _program(
            "x", command(tmp_path, STUBBORN, said.path), "stopwaitsecs=0.3\nkillasgroup=true"
        )
        with Daemon(tmp_path, program, environ=environ) as daemon:
            said.line()
            pid = daemon.spawned("x")

            assert daemon.codes("stop", names=["x"]) == {"x": "stopped"}

            daemon.expect(rf"WARN killing 'x' \({pid}\) with SIGKILL")
            daemon.expect(r"stopped: x \(terminated by SIGKILL\)")
            assert not exists(pid)


@KINDS
def test_a_group_stop_waits_for_the_last_member_and_holds_the_leader(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with Announcements(tmp_path) as said:
        program = _program(
            "x", command(tmp_path, LEAVES_BEHIND, said.path), "stopasgroup=true\nstopwaitsecs=30"
        )
        program += _program("other", "sleep 1000")
        with Daemon(tmp_path, program, environ=environ) as daemon:
            grandchild = int(said.line())
            leader = daemon.spawned("x")
            with daemon.client() as client:
                client.ask("stop", {"names": ["x"]})
                ended(leader)  # and is a zombie now

                # Others are served meanwhile, in as many turns of the daemon as they take.
                assert daemon.codes("restart", names=["other"]) == {"other": "started"}
                assert status_field(leader, "State").startswith("Z")
                assert daemon.status("x")["state"] == "STOPPING"
                assert alive(grandchild)
                kill(grandchild)

                assert [answer["code"] for answer in client.answers()] == ["stopped"]
            daemon.status("x")
            assert not exists(leader)
            assert not exists(grandchild)


@KINDS
def test_what_a_group_stop_cannot_persuade_is_killed_as_a_group(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with Announcements(tmp_path) as said:
        program = _program(
            "x", command(tmp_path, LEAVES_BEHIND, said.path), "stopasgroup=true\nstopwaitsecs=0.3"
        )
        with Daemon(tmp_path, program, environ=environ) as daemon:
            grandchild = int(said.line())

            assert daemon.codes("stop", names=["x"]) == {"x": "stopped"}

            assert not alive(grandchild)


def test_without_a_group_key_a_stop_is_the_leaders_end_alone(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        program = _program("x", command(tmp_path, LEAVES_BEHIND, said.path))
        with Daemon(tmp_path, program) as daemon:
            grandchild = int(said.line())

            assert daemon.codes("stop", names=["x"]) == {"x": "stopped"}

            assert alive(grandchild)
            kill(grandchild)
            daemon.expect(rf"reaped unknown pid {grandchild} \(terminated by SIGKILL\)")


def test_a_zombie_in_the_group_does_not_hold_a_stop_up(tmp_path: Path) -> None:
    # The member's parent has left the group and never waits for it.
    with Announcements(tmp_path) as said:
        program = _program(
            "x", command(tmp_path, ZOMBIE, said.path), "stopasgroup=true\nstopwaitsecs=30"
        )
        with Daemon(tmp_path, program) as daemon:
            outsider = int(said.line())

            assert daemon.codes("stop", names=["x"]) == {"x": "stopped"}

            kill(outsider)
            ended(outsider)


def test_a_slow_stop_delays_no_other_command(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        program = _program(
            "slow", command(tmp_path, STUBBORN, said.path), "stopwaitsecs=1000\nkillasgroup=true"
        )
        program += _program("quick", "sleep 1000")
        with Daemon(tmp_path, program) as daemon, daemon.client() as client:
            said.line()
            client.ask("stop", {"names": ["slow"]})

            assert daemon.codes("stop", names=["quick"]) == {"quick": "stopped"}
            assert daemon.codes("start", names=["quick"]) == {"quick": "started"}

            slow = daemon.status("slow")
            assert slow["state"] == "STOPPING"
            kill(slow["pid"])
            assert [answer["code"] for answer in client.answers()] == ["stopped"]


def test_a_stop_during_backoff_calls_the_retry_off(tmp_path: Path) -> None:
    program = "[program:x]\ncommand=false\nstartsecs=1\nstartretries=-1\n"
    with Daemon(tmp_path, program) as daemon:
        daemon.expect("exited: x")

        assert daemon.codes("stop", names=["x"]) == {"x": "stopped"}

        assert daemon.status("x")["state"] == "STOPPED"
