"""How superd begins where the world is not as one would like it: streams, descriptors, rights."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.children import ended
from tests.support.daemon import Daemon

SLEEPER = "[program:x]\ncommand=sleep 1000\nstartsecs=0\n"


def _end(daemon: Daemon) -> None:
    """End a superd that left its terminal."""
    pid = daemon.call("info")[0]["pid"]
    daemon.call("shutdown", wait=True)
    ended(pid)


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that belongs to nobody, which those of pytest do not let in."""
    directory = Path(tempfile.mkdtemp(prefix="superd-"))
    os.chown(directory, pwd.getpwnam("nobody").pw_uid, -1)
    yield directory
    shutil.rmtree(directory)


def test_without_any_of_the_three_streams_it_runs_and_keeps_its_lock(tmp_path: Path) -> None:
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    first = Daemon(tmp_path, SLEEPER, prefix=closed, options=())
    first.start()
    try:
        assert first.wait() == 0
        assert first.call("status")[0]["state"] == "RUNNING"

        second = Daemon(tmp_path, SLEEPER)
        second.start()
        assert second.wait() == 2
        second._clean()
        assert "another superd is already running" in second.stderr
        _end(first)
    finally:
        first._clean()


def test_a_daemon_lets_go_of_the_descriptors_it_was_born_with(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    inheriting = ["sh", "-c", 'exec "$@" 9>"$0"', str(lock)]
    daemon = Daemon(tmp_path, SLEEPER, prefix=inheriting, options=())
    daemon.start()
    try:
        assert daemon.wait() == 0
        pid = daemon.call("info")[0]["pid"]

        held = [fd.readlink() for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()]

        assert lock.exists()
        assert lock not in held
        _end(daemon)
    finally:
        daemon._clean()


def test_a_signal_to_pid_1_that_still_reads_its_files_is_not_lost(tmp_path: Path) -> None:
    namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.getuid() != 0 or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("no namespaces here")
    # The file comes through a pipe: superd reads it for as long as we like.
    daemon = Daemon(tmp_path, SLEEPER, prefix=namespace)
    text = daemon.conf.read_bytes()
    daemon.conf.unlink()
    os.mkfifo(daemon.conf)
    daemon.start()
    try:
        with daemon.conf.open("wb") as pipe:  # somebody is there to read it
            (superd,) = _children(daemon.pid)
            os.kill(superd, signal.SIGTERM)
            pipe.write(text)

        daemon.expect("WARN received SIGTERM indicating exit request")
        assert daemon.wait() == 0
    finally:
        daemon._clean()


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_pidfile_that_may_not_be_written_is_said_and_no_reason_not_to_start(home: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root becomes somebody else")
    forbidden = Path(tempfile.mkdtemp(prefix="superd-root-"))  # of root alone
    try:
        words = f"user=nobody\npidfile={forbidden}/superd.pid"
        with Daemon(home, SLEEPER, supervisord=words) as daemon:
            daemon.spawned("x")

            assert any(f"CRIT could not write pidfile {forbidden}" in line for line in daemon.said)
    finally:
        forbidden.rmdir()


def test_a_restart_that_cannot_be_says_why_in_the_log(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, SLEEPER)
    daemon.start()
    try:
        daemon.spawned("x")
        diary = tmp_path / "diary"
        diary.write_text("no socket")
        conf = daemon.conf.read_text()
        daemon.conf.write_text(conf.replace(f"file={tmp_path}/s\n", f"file={diary}\n"))

        daemon.signal(signal.SIGHUP)

        daemon.expect(f"CRIT not started again: .*{diary} exists and is not a socket")
        assert daemon.wait() == 2
        assert "not started again" in (tmp_path / "superd.log").read_text()
    finally:
        daemon._clean()
