"""From the first start to the last stop: order, signals, exit statuses, pid file, socket."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.children import STUBBORN, Announcements, alive, command, ended, kill
from tests.support.daemon import Daemon, Refused

SLEEPER = "[program:{}]\ncommand=sleep 1000\nstartsecs=0\npriority={}\n"


def _order(daemon: Daemon, pattern: str, count: int) -> list[str]:
    return [daemon.expect(pattern)[1] for _ in range(count)]


def test_lowest_priority_starts_first_and_stops_last_a_lane_at_a_time(tmp_path: Path) -> None:
    programs = SLEEPER.format("late", 30) + SLEEPER.format("early", 10)
    programs += SLEEPER.format("mid", 20) + SLEEPER.format("mid2", 20)
    with Daemon(tmp_path, programs) as daemon:
        assert _order(daemon, r"spawned: '(\w+)'", 4) == ["early", "mid", "mid2", "late"]

        daemon.stop()

        waits = [line for line in daemon.said if re.search("to die$|stopped: ", line)]
        words = [re.sub(r".* INFO (.*?)( \(.*)?$", r"\1", line) for line in waits]
        assert words[0:2] == ["waiting for late to die", "stopped: late"]
        assert words[2] == "waiting for mid, mid2 to die"
        assert set(words[3:5]) == {"stopped: mid", "stopped: mid2"}
        assert words[5:] == ["waiting for early to die", "stopped: early"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_to_end_stops_everything_and_exits_with_0(tmp_path: Path, number: int) -> None:
    with Daemon(tmp_path, SLEEPER.format("x", 1)) as daemon:
        child = daemon.spawned("x")

        daemon.signal(number)

        name = signal.Signals(number).name
        daemon.expect(f"WARN received {name} indicating exit request")
        assert daemon.wait() == 0
        assert not alive(child)


def test_shutdown_timeout_bounds_the_whole(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        stubborn = command(tmp_path, STUBBORN, said.path)
        programs = "".join(
            f"[program:x{lane}]\ncommand={stubborn}\nstartsecs=0\npriority={lane}\nstopwaitsecs=1000\n"
            for lane in range(3)
        )
        with Daemon(tmp_path, programs, supervisord="shutdown_timeout=0.5") as daemon:
            said.lines(3)

            assert daemon.stop() == 0

            assert any("shutdown_timeout of 0.5 seconds is over" in line for line in daemon.said)


def test_shutdown_answers_when_all_is_over_if_that_is_asked(tmp_path: Path) -> None:
    with Daemon(tmp_path, SLEEPER.format("x", 1)) as daemon:
        child = daemon.spawned("x")

        assert daemon.call("shutdown", wait=True) == [{}]

        assert not alive(child)
        assert daemon.wait() == 0


def test_nothing_is_answered_but_shutdown_state_while_going_down(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        program = f"[program:x]\ncommand={command(tmp_path, STUBBORN, said.path)}\nstartsecs=0\n"
        with Daemon(tmp_path, program + "stopwaitsecs=1000\n") as daemon:
            child = int(said.line())
            daemon.call("shutdown")

            with pytest.raises(Refused, match="SHUTDOWN_STATE"):
                daemon.call("status")
            daemon.signal(signal.SIGHUP)
            daemon.expect("WARN received SIGHUP, but shutdown is in progress: ignored")
            kill(child)


def test_hangup_restarts_everything_in_the_same_pid_with_what_the_files_say(tmp_path: Path) -> None:
    with Daemon(tmp_path, SLEEPER.format("old", 1)) as daemon:
        child = daemon.spawned("old")
        daemon.write(SLEEPER.format("new", 1))

        daemon.signal(signal.SIGHUP)

        daemon.expect("WARN received SIGHUP indicating restart request")
        assert daemon.expect(r"supervisord started with pid (\d+)")[1] == str(daemon.pid)
        daemon.spawned("new")
        assert not alive(child)
        assert [answer["name"] for answer in daemon.call("status")] == ["new"]
        assert (tmp_path / "superd.pid").read_text() == f"{daemon.pid}\n"


def test_hangup_with_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    with Daemon(tmp_path, SLEEPER.format("x", 1)) as daemon:
        child = daemon.spawned("x")
        daemon.write("[program:y]\nstartsecs=1\n")

        daemon.signal(signal.SIGHUP)

        line = daemon.expect("CRIT not restarted: CANT_REREAD").string
        assert "[program:y]" in line
        assert daemon.status("x")["pid"] == child


def test_a_second_hangup_on_the_heels_of_the_first_kills_nobody(tmp_path: Path) -> None:
    with Daemon(tmp_path, SLEEPER.format("x", 1)) as daemon:
        daemon.spawned("x")
        daemon.signal(signal.SIGHUP)
        daemon.expect("stopped: x")  # from here on nobody listens for a while

        for _ in range(200):
            daemon.signal(signal.SIGHUP)

        daemon.expect("supervisord started with pid")
        assert daemon.stop() == 0


def test_a_term_during_a_restart_is_an_end(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        program = f"[program:x]\ncommand={command(tmp_path, STUBBORN, said.path)}\nstartsecs=0\n"
        with Daemon(tmp_path, program + "stopwaitsecs=1000\n") as daemon:
            child = int(said.line())
            daemon.call("reload")
            daemon.signal(signal.SIGTERM)
            daemon.expect("received SIGTERM")

            kill(child)

            assert daemon.wait() == 0
            assert sum("supervisord started" in line for line in daemon.said) == 1


def test_usr2_goes_on_in_new_files(tmp_path: Path) -> None:
    program = (
        "[program:x]\n"
        f"command=sh -c 'while read line; do echo $line; done < {tmp_path}/announcements'\n"
        f"stdout_logfile={tmp_path}/x.log\nstartsecs=0\n"
    )
    with Announcements(tmp_path) as said, Daemon(tmp_path, program) as daemon:
        daemon.spawned("x")
        said.path.write_text("before\n")
        with daemon.client() as client:
            client.ask("tail", {"name": "x", "bytes": 100, "follow": True})
            while "before" not in str(client.frame()):
                pass
        (tmp_path / "x.log").rename(tmp_path / "x.log.old")
        (tmp_path / "superd.log").rename(tmp_path / "superd.log.old")

        daemon.signal(signal.SIGUSR2)

        daemon.expect("INFO received SIGUSR2 indicating log reopen request")
        daemon.call("status")
        assert (tmp_path / "x.log").exists()
        assert (tmp_path / "superd.log").exists()
        assert (tmp_path / "x.log.old").read_text() == "before\n"


# --- what keeps it from starting ----------------------------------------------------------


def _fails(daemon: Daemon) -> str:
    """Start a superd that cannot; give what it says on stderr."""
    daemon.start()
    assert daemon.wait() == 2
    assert daemon.popen is not None
    assert daemon.popen.stdout is not None
    daemon.popen.stdout.close()
    assert daemon.stderr.startswith("Error: ")
    assert daemon.stderr.endswith("For help, use superd -h\n")
    assert "Traceback" not in daemon.stderr
    return daemon.stderr


def test_a_second_superd_says_that_one_runs_already(tmp_path: Path) -> None:
    with Daemon(tmp_path) as first:
        second = Daemon(tmp_path)

        said = _fails(second)

        assert f"another superd is already running with pidfile {tmp_path}/superd.pid" in said
        assert f"(pid {first.pid})" in said
        assert first.call("info")[0]["pid"] == first.pid


def test_a_stale_pidfile_and_a_stale_socket_stop_nobody(tmp_path: Path) -> None:
    (tmp_path / "superd.pid").write_text("1\n")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "s"))
    stale.close()

    with Daemon(tmp_path) as daemon:
        assert (tmp_path / "superd.pid").read_text() == f"{daemon.pid}\n"
        assert daemon.call("info")[0]["state"] == "RUNNING"


def test_a_socket_in_use_is_not_taken(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as somebody:
        somebody.bind(str(tmp_path / "s"))
        somebody.listen()

        said = _fails(Daemon(tmp_path))

    assert f"another program is already listening on {tmp_path}/s" in said
    assert (tmp_path / "s").exists()
    assert not (tmp_path / "superd.pid").exists()


def test_a_file_that_is_no_socket_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("my diary")

    said = _fails(Daemon(tmp_path))

    assert f"{tmp_path}/s exists and is not a socket" in said
    assert (tmp_path / "s").read_text() == "my diary"


def test_a_socket_path_that_is_too_long_is_said_with_its_length(tmp_path: Path) -> None:
    path = f"{tmp_path}/".ljust(108, "x")

    said = _fails(Daemon(tmp_path, server=f"file={path}"))

    assert f"{len(path)} bytes" in said
    assert "at most 107" in said


@pytest.mark.parametrize(
    ("supervisord", "words"),
    [
        ("logfile=/proc/nothing/log", "cannot write the log /proc/nothing/log"),
        ("pidfile=/proc/nothing/pid", "cannot open pidfile /proc/nothing/pid"),
        ("loglevel=loud", "loglevel"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line_and_status_2(
    tmp_path: Path, supervisord: str, words: str
) -> None:
    assert words in _fails(Daemon(tmp_path, supervisord=supervisord))


def test_every_problem_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    program = "[program:x]\ncommand=true\nstartsecs=soon\nstopsignal=NOW\n"

    said = _fails(Daemon(tmp_path, program))

    assert re.search(r"superd\.conf:\d+: \[program:x\] startsecs: ", said)
    assert re.search(r"superd\.conf:\d+: \[program:x\] stopsignal: .*NOW", said)


def test_missing_directories_are_created(tmp_path: Path) -> None:
    there = tmp_path / "a/b"
    conf = f"logfile={there}/log/l\npidfile={there}/run/p\nchildlogdir={there}/child"
    program = f"[program:x]\ncommand=sleep 1000\nstartsecs=0\nstderr_logfile={there}/x/y/err\n"
    server = f"file={there}/s/s"
    with Daemon(tmp_path, program, supervisord=conf, server=server, socket=there / "s/s") as daemon:
        daemon.running("x")

        assert (there / "log/l").exists()
        assert (there / "run/p").exists()
        assert (there / "x/y/err").exists()
        with daemon.client() as client:  # an AUTO log comes with its first byte or reader
            client.call("tail", name="x")
        assert list((there / "child").iterdir())


def test_a_daemon_leaves_its_terminal_and_writes_its_own_pid(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, SLEEPER.format("x", 1), options=())
    daemon.start()
    try:
        assert daemon.wait() == 0
        with daemon.client() as client:
            pid = client.call("info")[0]["pid"]
            assert pid == int((tmp_path / "superd.pid").read_text())
            assert pid != daemon.pid
            assert os.getsid(pid) != os.getsid(0)
            for fd in range(3):
                assert Path(f"/proc/{pid}/fd/{fd}").readlink() == Path("/dev/null")
            assert client.call("shutdown", wait=True) == [{}]
        ended(pid)
        assert not (tmp_path / "superd.pid").exists()
    finally:
        daemon._clean()


def test_a_daemon_reads_its_files_where_it_was_started(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    program = "[program:x]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile=x.log\n"
    daemon = Daemon(tmp_path, program, supervisord=f"directory={elsewhere}", options=())
    daemon.start()
    try:
        assert daemon.wait() == 0
        daemon.write(program + "\n")

        assert daemon.call("reread") == []

        pid = daemon.call("info")[0]["pid"]
        daemon.call("shutdown", wait=True)
        ended(pid)
    finally:
        daemon._clean()


# --- duties towards strangers -------------------------------------------------------------


def test_orphans_are_reaped_and_told_of(tmp_path: Path) -> None:
    program = (
        "[program:forker]\ncommand=sh -c '(sleep 0.2; exit 4) & exit 0'\nstartsecs=0\n"
        "autorestart=false\n"
    )
    with Daemon(tmp_path, program) as daemon:
        daemon.expect(r"exited: forker \(exit status 0; expected\)")
        daemon.expect(r"reaped unknown pid \d+ \(exit status 4\)")


def test_orphans_are_reaped_while_a_dead_leader_is_held(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        script = (
            "import os, signal, sys\n"
            "say = lambda: open(sys.argv[1], 'w').write(f'{os.getpid()}\\n')\n"
            "if os.fork() == 0:\n"
            "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "    say()\n"
            "    if os.fork() == 0:\n"
            "        os.setpgid(0, 0)\n"
            "        if os.fork() == 0:\n"
            "            say()\n"
            "            signal.pause()\n"
            "        os._exit(0)\n"
            "while True: signal.pause()\n"
        )
        line = command(tmp_path, script, said.path)
        program = f"[program:x]\ncommand={line}\nstopasgroup=true\nstopwaitsecs=1000\nstartsecs=0\n"
        with Daemon(tmp_path, program) as daemon:
            member, orphan = int(said.line()), int(said.line())
            leader = daemon.spawned("x")
            with daemon.client() as client:
                client.ask("stop", {"names": ["x"]})
                ended(leader)

                kill(orphan)

                daemon.expect(rf"reaped unknown pid {orphan} \(terminated by SIGKILL\)")
                kill(member)
                assert [answer["code"] for answer in client.answers()] == ["stopped"]


def test_as_pid_1_it_reaps_what_it_is_handed_and_goes_in_order(tmp_path: Path) -> None:
    namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.getuid() != 0 or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("no namespaces here")
    program = "[program:x]\ncommand=sh -c '(sleep 0.1; exit 4) & exit 0'\nstartsecs=0\n"
    daemon = Daemon(tmp_path, program + "autorestart=false\n", prefix=namespace)
    with daemon:
        assert daemon.said[-1].endswith("supervisord started with pid 1")
        daemon.expect(r"reaped unknown pid \d+ \(exit status 4\)")

        daemon.call("shutdown")

        assert daemon.wait() == 0
