"""What goes wrong around the daemon: no descriptors, no disk, children that misbehave."""

from __future__ import annotations

import os
import re
import select
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.children import (
    Announcements,
    alive,
    command,
    ended,
    eventually,
    kill,
    public_directory,
    status_field,
)
from tests.support.daemon import Daemon

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="needs root's rights")
MANY = (
    "[program:w]\ncommand=sleep 1000\nprocess_name=w%(process_num)02d\nnumprocs={}\nstartsecs=0\n"
)


def test_too_few_descriptors_are_fatal_for_what_does_not_fit_and_for_nobody_else(
    tmp_path: Path,
) -> None:
    program = MANY.format(20) + "startretries=0\n"
    limit = ["prlimit", "--nofile=80:80"]
    with Daemon(tmp_path, program, prefix=limit, supervisord="minfds=80\nminprocs=10") as daemon:
        daemon.expect(r"INFO spawnerr: too many open files to spawn 'w\d\d'")
        daemon.expect("gave up: w19 entered FATAL state")
        states = {answer["process"]: answer for answer in daemon.call("status")}
        fatal = {name for name, answer in states.items() if answer["state"] == "FATAL"}
        running = {name for name, answer in states.items() if answer["state"] == "RUNNING"}

        # The daemon still hears us, and the others run.
        assert len(fatal) > 3
        assert len(running) > 3
        assert len(fatal | running) == 20
        reason = states["w19"]["reason"]
        assert re.fullmatch(
            r"too many open files to spawn 'w19' \(raise minfds or the hard limit, "
            r"ulimit -Hn, 80 now\)",
            reason,
        )

        crowd = [daemon.client() for _ in range(10)]
        for client in crowd:
            assert client.call("info")[0]["pid"] == daemon.pid
        for client in crowd:
            client.close()
        daemon.settled_fds()

        # Room for one is room for any one.
        assert daemon.codes("start", names=["w:w19"]) == {"w19": "SPAWN_ERROR"}
        daemon.call("stop", names=[f"w:{name}" for name in sorted(running)[:2]])
        assert daemon.codes("start", names=["w:w19"]) == {"w19": "started"}


@pytest.mark.slow
def test_an_idle_daemon_never_wakes_up(tmp_path: Path) -> None:
    with Daemon(tmp_path, MANY.format(50)) as daemon:
        daemon.running(*(f"w{number:02}" for number in range(50)))
        daemon.settled_fds()
        quiet, noise = os.pipe()
        # Until the pause after the last output, if there was any, is over for good.
        select.select([quiet], [], [], 0.5)
        before = status_field(daemon.pid, "voluntary_ctxt_switches")

        select.select([quiet], [], [], 3.0)

        assert status_field(daemon.pid, "voluntary_ctxt_switches") == before
        os.close(quiet)
        os.close(noise)


def test_last_words_are_in_the_log_before_the_death_is(tmp_path: Path) -> None:
    program = (
        "[program:x]\nstartsecs=0\nautorestart=false\n"
        "command=sh -c 'echo first; sleep 0.003; head -c 50000 /dev/zero; echo last words'\n"
        f"stdout_logfile={tmp_path}/x.log\n"
    )
    with Daemon(tmp_path, program) as daemon:
        for _ in range(10):
            daemon.expect("exited: x")

            log = (tmp_path / "x.log").read_bytes()

            assert log == b"first\n" + b"\0" * 50_000 + b"last words\n"
            daemon.call("clear", names=["x"])
            daemon.call("start", names=["x"])


def test_a_child_that_closes_its_stdout_goes_on_running(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        script = (
            "import os, signal, sys\nos.close(1); os.close(2)\n"
            "fifo = open(sys.argv[1], 'w'); fifo.write('closed\\n'); fifo.close()\nsignal.pause()\n"
        )
        program = f"[program:x]\ncommand={command(tmp_path, script, said.path)}\nstartsecs=0\n"
        with Daemon(tmp_path, program) as daemon:
            said.line()

            status = daemon.status("x")

            assert status["state"] == "RUNNING"
            assert alive(status["pid"])
            assert daemon.codes("stop", names=["x"]) == {"x": "stopped"}


def test_a_child_that_forks_away_has_exited_and_its_child_is_not_ours_to_stop(
    tmp_path: Path,
) -> None:
    with Announcements(tmp_path) as said:
        script = (
            "import os, signal, sys\n"
            "if os.fork(): os._exit(0)\n"
            "os.setsid()\n"
            "fifo = open(sys.argv[1], 'w'); fifo.write(f'{os.getpid()}\\n'); fifo.close()\n"
            "signal.pause()\n"
        )
        line = command(tmp_path, script, said.path)
        program = f"[program:x]\ncommand={line}\nstartsecs=0\nautorestart=unexpected\n"
        with Daemon(tmp_path, program) as daemon:
            away = int(said.line())
            daemon.expect(r"exited: x \(exit status 0; expected\)")

            assert daemon.status("x")["state"] == "EXITED"
            assert alive(away)
            kill(away)
            daemon.expect(f"reaped unknown pid {away}")


def test_a_flood_of_one_child_delays_no_command(tmp_path: Path) -> None:
    program = (
        f"[program:flood]\ncommand=yes\nstartsecs=0\nstdout_logfile={tmp_path}/flood.log\n"
        "stdout_logfile_maxbytes=1MB\nstdout_logfile_backups=1\n"
        "[program:x]\ncommand=sleep 1000\nstartsecs=0\n"
    )
    with Daemon(tmp_path, program) as daemon:
        daemon.running("flood", "x")
        eventually((tmp_path / "flood.log.1").exists, "the flood rotates its log")

        for _ in range(20):
            assert daemon.codes("restart", names=["x"]) == {"x": "started"}

        assert sum(map(_size, tmp_path.glob("flood.log*"))) < 5_000_000


def _size(path: Path) -> int:
    """Give the size of a file that may be rotated away at any moment."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_binary_output_is_kept_and_shown_to_the_byte(tmp_path: Path) -> None:
    every = tmp_path / "every"
    every.write_bytes(bytes(range(256)) + "é".encode())
    program = (
        f"[program:x]\ncommand=cat {every}\nstartsecs=0\nautorestart=false\n"
        f"stdout_logfile={tmp_path}/x.log\n"
    )
    with Daemon(tmp_path, program) as daemon:
        daemon.expect("exited: x")

        assert (tmp_path / "x.log").read_bytes() == every.read_bytes()
        shown = daemon.call("tail", name="x", bytes=1000)[0]["data"]
        assert shown.endswith("é")
        assert shown.encode("utf-8", "surrogateescape") == every.read_bytes()


def test_a_character_that_comes_in_two_pieces_is_one_character(tmp_path: Path) -> None:
    if True:
        script = (
            "import os, sys\n"
            "fifo = open(sys.argv[1])\n"
            "os.write(1, b'\\xc3'); fifo.readline(); os.write(1, b'\\xa9\\n'); fifo.readline()\n"
        )
        go = tmp_path / "go"
        os.mkfifo(go)
        line = command(tmp_path, script, go)
        program = f"[program:x]\ncommand={line}\nstartsecs=0\nstdout_logfile={tmp_path}/x.log\n"
        with Daemon(tmp_path, program) as daemon, daemon.client() as client, go.open("w") as pipe:
            log = tmp_path / "x.log"
            eventually(
                lambda: log.exists() and log.read_bytes() == b"\xc3", "the first half is there"
            )
            client.ask("tail", {"name": "x", "bytes": 100, "follow": True})
            daemon.call("info")
            pipe.write("\n")
            pipe.flush()

            data = ""
            while not data.endswith("\n"):
                frame = client.frame()
                assert frame is not None
                data += frame["result"]["data"]

            assert data.encode("utf-8", "surrogateescape").decode() == "é\n"


def test_tail_follows_what_is_added_and_a_cleared_log(tmp_path: Path) -> None:
    source = tmp_path / "source"
    os.mkfifo(source)
    program = (
        f"[program:x]\ncommand=cat {source}\nstartsecs=0\nstdout_logfile={tmp_path}/x.log\n"
        "autorestart=false\n"
    )
    with Daemon(tmp_path, program) as daemon, daemon.client() as client:
        with source.open("w") as pipe:
            client.ask("tail", {"name": "x", "bytes": 100, "follow": True})
            for line in ("one\n", "two\n"):
                pipe.write(line)
                pipe.flush()
                _hears(client, line)
            assert daemon.codes("clear", names=["x"]) == {"x": "cleared"}
            pipe.write("three\n")
            pipe.flush()
            _hears(client, "three\n")
        assert (tmp_path / "x.log").read_text() == "three\n"


def _hears(client: object, line: str) -> None:
    data = ""
    while not data.endswith(line):
        frame = client.frame()  # type: ignore[attr-defined]
        assert frame is not None
        data += frame["result"]["data"]


def test_tail_of_a_fifo_does_not_stop_the_daemon(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = f"[program:x]\ncommand=nosuch\nstdout_logfile={fifo}\nstartretries=0\n"
    with Daemon(tmp_path, program) as daemon:
        daemon.expect("gave up: x")
        with daemon.client() as client:
            client.ask("tail", {"name": "x"})

            assert daemon.call("info")[0]["pid"] == daemon.pid

            frame = client.frame()
            assert frame is not None
            assert frame["error"]["code"] in {"FAILED", "NO_FILE"}


def test_a_log_directory_that_is_missing_is_made_and_one_that_cannot_be_is_said(
    tmp_path: Path,
) -> None:
    program = (
        "[program:made]\ncommand=echo hello\nstartsecs=0\nautorestart=false\n"
        f"stdout_logfile={tmp_path}/new/dir/x.log\n"
        "[program:bad]\ncommand=sh -c 'echo hello; exec sleep 1000'\nstartsecs=0\n"
        "stdout_logfile=/proc/nothing/x.log\nstderr_logfile=NONE\n"
    )
    with Daemon(tmp_path, program) as daemon:
        seen = ""
        while "cannot write /proc/nothing/x.log" not in seen or "exited: made" not in seen:
            seen += daemon.expect("cannot write.*|exited: made")[0]

        assert (tmp_path / "new/dir/x.log").read_text() == "hello\n"
        assert daemon.status("bad")["state"] == "RUNNING"


@pytest.fixture
def home() -> Iterator[Path]:
    with public_directory() as made:
        yield made


@ROOT
def test_a_child_that_may_not_be_signalled_is_unknown_and_holds_up_no_shutdown(
    home: Path,
) -> None:
    var = home / "var"
    var.mkdir()
    var.chmod(0o777)
    shutil.copy(shutil.which("setpriv") or "", home / "setpriv")
    (home / "setpriv").chmod(0o4755)
    line = f"{home}/setpriv --reuid=0 --regid=0 --clear-groups sleep 1000"
    conf = f"user=daemon\nlogfile={var}/log\npidfile={var}/pid\nchildlogdir={var}"
    program = f"[program:x]\ncommand={line}\nstartsecs=0\nstopwaitsecs=1\n"
    daemon = Daemon(home, program, supervisord=conf, server=f"file={var}/s", socket=var / "s")
    with daemon:
        child = daemon.spawned("x")
        eventually(lambda: status_field(child, "Uid").split() == ["0"] * 4, "it has become root")

        (answer,) = daemon.call("stop", names=["x"])
        assert (answer["code"], answer["text"]) == (
            "FAILED", f"cannot signal pid {child}: Operation not permitted"
        )  # fmt: skip
        assert daemon.status("x")["state"] == "UNKNOWN"

        assert daemon.stop() == 0
        kill(child)
        ended(child)
