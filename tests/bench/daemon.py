"""A supervisor under measurement, ours or theirs: one configuration serves both."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import proc
from tests.bench.lab import Lab
from tests.support.children import kill

DAEMON = {"ours": "superd", "theirs": "supervisord"}
CLIENT = {"ours": "superctl", "theirs": "supervisorctl"}
CONFIG = """\
[unix_http_server]
file={home}/s
[supervisord]
logfile={home}/daemon.log
pidfile={home}/daemon.pid
childlogdir={home}
minfds={minfds}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{home}/s
[include]
files={home}/conf.d/*.conf
"""
SLEEPERS = """\
[program:sleeper]
command=sleep 100000
process_name=%(program_name)s_%(process_num)03d
numprocs={count}
"""


class Daemon:
    """One supervisor with ``programs``, default options otherwise, in a directory of its own."""

    def __init__(self, lab: Lab, side: str, home: Path, programs: str) -> None:
        self.side = side
        self.home = home / side
        self._lab = lab
        self._scripts = lab.sides[side]
        self._popen: subprocess.Popen[bytes] | None = None
        (self.home / "conf.d").mkdir(parents=True, exist_ok=True)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        minfds = 10_000 if most == resource.RLIM_INFINITY else min(10_000, most)
        self._conf = self.home / "daemon.conf"
        self._conf.write_text(CONFIG.format(home=self.home, minfds=minfds) + programs)

    @property
    def pid(self) -> int:
        assert self._popen is not None
        return self._popen.pid

    def start(self) -> None:
        """Start it and return at once."""
        program = self._scripts / DAEMON[self.side]
        self._popen = self._lab.start([program, "-n", "-c", self._conf], self.home)

    def ready(self) -> None:
        """Wait until it accepts connections."""

        def accepts() -> bool:
            self.complain_if_gone()
            with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
                client.connect(str(self.home / "s"))
                return True
            return False

        proc.wait_until(accepts, f"{DAEMON[self.side]} listens", within=60, every=0.01)

    def complain_if_gone(self) -> None:
        """Raise TookTooLong with its last words if it has ended by itself."""
        assert self._popen is not None
        if self._popen.poll() is not None:
            said = (self.home / "stderr").read_text(errors="replace")[-500:]
            raise proc.TookTooLong(
                f"{DAEMON[self.side]} ended with {self._popen.returncode}: {said}"
            )

    def control(self, *arguments: str) -> str:
        """Run the client of this daemon; give what it printed."""
        client = self._scripts / CLIENT[self.side]
        return self._lab.run([client, "-c", self._conf, *arguments], self.home)

    def stop(self) -> None:
        """End it in order; one that takes too long is killed, and the lab ends what it leaves."""
        assert self._popen is not None
        if self._popen.poll() is None:
            kill(self.pid, signal.SIGTERM)
        try:
            self._popen.wait(30)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


@contextmanager
def running(lab: Lab, side: str, home: Path, programs: str) -> Iterator[Daemon]:
    """Give a daemon that serves, and stop it at the end."""
    daemon = Daemon(lab, side, home, programs)
    daemon.start()
    try:
        daemon.ready()
        yield daemon
    finally:
        daemon.stop()


@contextmanager
def all_running(lab: Lab, home: Path, programs: str) -> Iterator[dict[str, Daemon]]:
    """Give one serving daemon a side, so that their figures can be taken in turns."""
    with contextlib.ExitStack() as stack:
        yield {side: stack.enter_context(running(lab, side, home, programs)) for side in lab.sides}
