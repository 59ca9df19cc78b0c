"""What a child is born with: who it is, where, with which signals, limits and variables."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.children import Announcements, public_directory
from tests.support.daemon import Daemon

ASKED = """\
import json, os, resource, signal, sys
fields = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
about = {
    "uid": os.getresuid(), "gid": os.getresgid(), "groups": sorted(os.getgroups()),
    "cwd": os.getcwd(), "umask": os.umask(0), "environ": dict(os.environ),
    "ignored": int(fields["SigIgn"], 16), "blocked": int(fields["SigBlk"], 16),
    "fds": [fd for fd in range(256) if os.path.exists(f"/proc/self/fd/{fd}")],
    "pgid": os.getpgid(0), "pid": os.getpid(), "sid": os.getsid(0),
    "nofile": resource.getrlimit(resource.RLIMIT_NOFILE), "argv": sys.argv[1:],
}
with open(sys.argv[1], "a") as out:
    out.write(json.dumps(about) + "\\n")
"""
OF_GLIBC = 0b11 << 31  # signals 32 and 33, which nobody but the C library can set
ANYBODY = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


def _asker(home: Path, said: Announcements, more: str = "", name: str = "x") -> str:
    """Give a program that tells about itself and ends."""
    script = home / "ask.py"
    script.write_text(ASKED)
    # -S -E: signal dispositions as inherited but for SIGPIPE, SIGXFSZ, SIGINT, see below
    command = f"{sys.executable} -S -E {script} {said.path}"
    return (
        f"[program:{name}]\ncommand={command}\nstartsecs=0\nautorestart=false\n"
        f"stdout_logfile=NONE\nstderr_logfile={home}/{name}.err\n{more}\n"
    )


def _about(said: Announcements) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(said.line())
    return about


@ANYBODY
def test_a_child_becomes_its_user_with_all_of_his_groups() -> None:
    with public_directory() as home, Announcements(home) as said:
        asks = f"sh -c 'grep -E \"^(Uid|Gid|Groups)\" /proc/self/status >> {said.path}'"
        program = f"[program:x]\ncommand={asks}\nuser=daemon\nstartsecs=0\nautorestart=false\n"
        with Daemon(home, program):
            fields = {name: value.split() for name, value in map(_field, said.lines(3))}

    assert fields["Uid"] == ["1"] * 4
    assert fields["Gid"] == ["1"] * 4
    assert {int(group) for group in fields["Groups"]} == set(os.getgrouplist("daemon", 1))


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value


@pytest.fixture
def home() -> Iterator[Path]:
    with public_directory() as made:
        yield made


def test_directory_and_umask_are_the_programs(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    with Announcements(tmp_path) as said:
        more = f"directory={there}\numask=027"
        with Daemon(tmp_path, _asker(tmp_path, said, more)):
            about = _about(said)

    assert about["cwd"] == str(there)
    assert about["umask"] == 0o027


def test_the_programs_environment_wins_over_the_daemons_and_over_ours(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        program = _asker(tmp_path, said, 'environment=A="program",SUPERVISOR_GROUP_NAME="mine"')
        with Daemon(
            tmp_path, program,
            supervisord='environment=A="section",B="section"',
            environ={"A": "daemon", "B": "daemon", "C": "daemon"},
        ):  # fmt: skip
            environ = _about(said)["environ"]

    assert (environ["A"], environ["B"], environ["C"]) == ("program", "section", "daemon")
    assert environ["SUPERVISOR_GROUP_NAME"] == "mine"


def test_a_child_learns_who_it_is_and_whom_to_ask(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        program = _asker(
            tmp_path, said, "numprocs=1\nprocess_name=%(program_name)s_%(process_num)02d"
        )
        with Daemon(tmp_path, program):
            environ = _about(said)["environ"]

    assert environ["SUPERVISOR_ENABLED"] == "1"
    assert environ["SUPERVISOR_PROCESS_NAME"] == "x_00"
    assert environ["SUPERVISOR_GROUP_NAME"] == "x"
    assert environ["SUPERVISOR_SERVER_URL"] == f"unix://{tmp_path}/s"


def test_signals_are_at_their_defaults_even_if_superd_was_started_with_nohup(
    tmp_path: Path,
) -> None:
    # sh tells what it was born with: Python itself ignores SIGPIPE and catches SIGINT.
    with Announcements(tmp_path) as said:
        program = (
            "[program:x]\n"
            f"command=sh -c 'grep -E \"Sig(Ign|Blk)\" /proc/self/status >> {said.path}'\n"
            "startsecs=0\nautorestart=false\n"
        )
        nohup = ["sh", "-c", 'trap "" INT HUP QUIT USR1; exec "$@"', "sh"]
        with Daemon(tmp_path, program, prefix=nohup):
            fields = dict(line.split(":") for line in said.lines(2))

    assert int(fields["SigBlk"], 16) == 0
    assert int(fields["SigIgn"], 16) & ~OF_GLIBC == 0


def test_a_child_inherits_three_descriptors_and_leads_a_group_of_its_own(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    with Announcements(tmp_path) as said:
        script = _asker(tmp_path, said)
        # A shell that was started with a descriptor open, as cron jobs and CI runners do.
        leaky = ["sh", "-c", 'exec 7</dev/null 9</etc/passwd; exec "$@"', "sh"]
        with Daemon(tmp_path, script, prefix=leaky):
            about = _about(said)
    os.close(read)
    os.close(write)

    assert about["fds"] == [0, 1, 2]
    assert about["pgid"] == about["pid"]


@pytest.mark.parametrize(
    ("soft", "minfds", "expected"), [(100, 64, 100), (100, 300, 300)], ids=["as started", "minfds"]
)
def test_children_have_the_descriptor_limit_superd_was_started_with(
    tmp_path: Path, soft: int, minfds: int, expected: int
) -> None:
    with Announcements(tmp_path) as said:
        program = _asker(tmp_path, said)
        limit = ["prlimit", f"--nofile={soft}:2000"]
        with Daemon(tmp_path, program, prefix=limit, supervisord=f"minfds={minfds}") as daemon:
            assert _about(said)["nofile"] == [expected, 2000]

            # The second life must not take the first one's raised limit for the original.
            daemon.call("reload")
            daemon.expect("supervisord started with pid")
            assert _about(said)["nofile"] == [expected, 2000]


def test_more_children_than_the_childrens_own_descriptor_limit(tmp_path: Path) -> None:
    program = (
        "[program:x]\ncommand=sleep 1000\nstartsecs=0\nnumprocs=60\nprocess_name=x%(process_num)d\n"
    )
    limit = ["prlimit", "--nofile=64:4000"]
    with Daemon(tmp_path, program, prefix=limit, supervisord="minfds=64") as daemon:
        names = {f"x{number}" for number in range(60)}
        daemon.running(*names)

        assert daemon.fds() > 120
        assert {answer["state"] for answer in daemon.call("status")} == {"RUNNING"}
        last = daemon.status("x:x59")["pid"]
        limits = Path(f"/proc/{last}/limits").read_text()
        assert "Max open files            64                   4000" in limits


def test_a_program_may_be_found_by_its_own_path_and_beside_superd(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    tool = tools / "onlyhere"
    tool.write_text("#!/bin/sh\nexec sleep 1000\n")
    tool.chmod(0o755)
    program = (
        f'[program:own]\ncommand=onlyhere\nstartsecs=0\nenvironment=PATH="{tools}:/usr/bin:/bin"\n'
        "[program:beside]\ncommand=superctl -h\nstartsecs=0\nautorestart=false\n"
    )
    with Daemon(tmp_path, program, environ={"PATH": "/usr/bin:/bin"}) as daemon:
        daemon.running("own", "beside")


def test_each_way_not_to_start_has_its_words(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    commands = {
        "nowhere": ("command=nosuchprogram", "NO_FILE", "can't find command 'nosuchprogram'"),
        "plain": (f"command={plain}", "NOT_EXECUTABLE", f"command at '{plain}' is not executable"),
        "folder": ("command=/tmp", "NOT_EXECUTABLE", "command at '/tmp' is a directory"),
        "quote": ('command=sh -c "x', "NOT_EXECUTABLE", "can't parse command"),
        "gone": (
            "command=sleep 9\ndirectory=/no/such",
            "SPAWN_ERROR",
            "couldn't chdir to /no/such",
        ),
        "noexec": (
            f"command={tmp_path}/garbage",
            "SPAWN_ERROR",
            f"couldn't exec {tmp_path}/garbage",
        ),
    }
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\x7fELF nothing behind it")
    garbage.chmod(0o755)
    programs = "".join(
        f"[program:{name}]\n{command}\nautostart=false\nstartretries=0\n"
        for name, (command, _, _) in commands.items()
    )
    with Daemon(tmp_path, programs) as daemon:
        answers = {
            answer["process"]: answer for answer in daemon.call("start", names=list(commands))
        }

        for name, (_, code, text) in commands.items():
            assert answers[name]["code"] == code, name
            assert text in answers[name]["text"], name
            assert text in answers[name]["hint"][0], name


def test_a_program_that_cannot_start_goes_fatal_with_its_reason(tmp_path: Path) -> None:
    program = "[program:x]\ncommand=nosuchprogram\nstartretries=0\n"
    with Daemon(tmp_path, program) as daemon:
        daemon.expect("INFO spawnerr: can't find command 'nosuchprogram'")
        daemon.expect("INFO gave up: x entered FATAL state, too many start retries too quickly")

        status = daemon.status("x")
        assert (status["state"], status["pid"]) == ("FATAL", 0)
        assert status["description"] == status["reason"] == "can't find command 'nosuchprogram'"


@ANYBODY
def test_a_superd_that_is_not_root_runs_programs_of_its_own_user_only(home: Path) -> None:
    var = home / "var"
    var.mkdir()
    var.chmod(0o777)
    programs = (
        "[program:own]\ncommand=sleep 1000\nstartsecs=0\nuser=daemon\n"
        "stdout_logfile=NONE\nstderr_logfile=NONE\n"
        "[program:other]\ncommand=sleep 1000\nstartsecs=0\nuser=nobody\nstartretries=0\n"
        "directory=/tmp\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
    )
    conf = f"user=daemon\nlogfile={var}/log\npidfile={var}/pid\nchildlogdir={var}"
    with Daemon(
        home, programs, supervisord=conf, server=f"file={var}/s", socket=var / "s"
    ) as daemon:
        daemon.expect("couldn't setuid to nobody: superd does not run as root")

        states = {answer["process"]: answer["state"] for answer in daemon.call("status")}
        assert states == {"own": "RUNNING", "other": "FATAL"}
