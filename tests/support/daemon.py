"""A real superd in a directory of its own: started, listened to, spoken with, stopped."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Self

from supervise import wire
from tests.support.children import DEADLINE, ended, kill, marked

SUPERD = str(Path(sys.executable).with_name("superd"))
CONFIG = """\
[supervisord]
logfile={home}/superd.log
pidfile={home}/superd.pid
childlogdir={home}
user=root
{supervisord}
[unix_http_server]
file={home}/s
{server}
"""

Answer = dict[str, Any]


class Refused(Exception):
    """The daemon refused a request as a whole."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Client:
    """One connection that speaks native frames."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))  # waits where the queue is full
        self.socket.settimeout(DEADLINE)
        self._buffer = b""
        self._number = 0

    def ask(self, method: str, params: Mapping[str, object], **more: object) -> int:
        """Send a request; give its number."""
        self._number += 1
        frame = {"id": self._number, "method": method, "params": dict(params), **more}
        self.socket.sendall(wire.encode(frame))
        return self._number

    def frame(self) -> Answer | None:
        """Give the next frame, None when the daemon has hung up."""
        while b"\n" not in self._buffer:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionError:
                return None
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return wire.decode(line)

    def answers(self) -> list[Answer]:
        """Give all results of the request that was sent. Raises Refused."""
        found: list[Answer] = []
        while True:
            frame = self.frame()
            assert frame is not None, f"the daemon hung up after {found}"
            if "result" in frame:
                if frame["result"].keys() != {"warnings"}:  # of the files: not what we asked
                    found.append(frame["result"])
            elif "error" in frame:
                raise Refused(frame["error"]["code"], frame["error"]["text"])
            else:
                return found

    def call(self, method: str, **params: object) -> list[Answer]:
        """Send a request and wait for all of its results. Raises Refused."""
        self.ask(method, params)
        return self.answers()

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Daemon:
    """superd with ``programs``; at the end of ``with`` it is stopped and nothing may be left.

    ``supervisord`` and ``server`` are further lines of these sections, ``prefix`` a command
    that execs superd (prlimit, nohup), ``options`` those of superd.
    """

    def __init__(
        self,
        home: Path,
        programs: str = "",
        *,
        supervisord: str = "",
        server: str = "",
        prefix: Sequence[str] = (),
        options: Sequence[str] = ("-n",),
        environ: Mapping[str, str] | None = None,
        socket: Path | None = None,
    ) -> None:
        self.home = home
        self.socket = socket or home / "s"
        self.conf = home / "superd.conf"
        self._head = CONFIG.format(home=home, supervisord=supervisord, server=server)
        self.write(programs)
        self._mark = f"SUPERD_UNDER_TEST={os.getpid()}-{id(self)}"
        name, _, value = self._mark.partition("=")
        self._argv = [*prefix, SUPERD, *options, "-c", str(self.conf)]
        self._environ = {**os.environ, **(environ or {}), name: value}
        self._environ.pop("SUPERVISOR_ENABLED", None)
        self._buffer = b""
        self.said: list[str] = []  # all lines of its log so far
        self.popen: subprocess.Popen[bytes] | None = None

    def write(self, programs: str) -> None:
        """Write the configuration anew."""
        self.conf.write_text(self._head + programs)

    def start(self) -> Self:
        """Start it; ``with`` does, and waits until it serves."""
        with (self.home / "stderr").open("wb") as stderr:
            self.popen = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                env=self._environ, cwd=self.home,
            )  # fmt: skip
        return self

    @property
    def pid(self) -> int:
        assert self.popen is not None
        return self.popen.pid

    @property
    def stderr(self) -> str:
        return (self.home / "stderr").read_text()

    # --- its log ------------------------------------------------------------------------

    def expect(self, pattern: str) -> re.Match[str]:
        """Give the match of the next line of its log, from where we are, with ``pattern``."""
        end = monotonic() + DEADLINE
        while True:
            line = self._line(end)
            assert line is not None, f"superd never said {pattern!r} but\n{self._story()}"
            if (match := re.search(pattern, line)) is not None:
                return match

    def _line(self, end: float) -> str | None:
        assert self.popen is not None
        assert self.popen.stdout is not None
        fd = self.popen.stdout.fileno()
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([fd], [], [], max(0.0, end - monotonic()))
            data = os.read(fd, 1 << 16) if ready else b""
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        self.said.append(line.decode())
        return self.said[-1]

    def _story(self) -> str:
        return "\n".join(self.said[-40:]) + "\n" + self.stderr

    def spawned(self, name: str) -> int:
        """Wait for the next start of the process ``name``; give its pid."""
        return int(self.expect(rf"spawned: '{re.escape(name)}' with pid (\d+)")[1])

    def running(self, *names: str) -> dict[str, int]:
        """Wait until each of ``names`` is RUNNING; give their pids."""
        left = set(names)
        while left:
            left.discard(self.expect(r"success: (\S+) entered RUNNING")[1])
        return {answer["process"]: answer["pid"] for answer in self.call("status")}

    # --- its socket ---------------------------------------------------------------------

    def client(self) -> Client:
        return Client(self.socket)

    def call(self, method: str, **params: object) -> list[Answer]:
        """Ask one question on a connection of its own. Raises Refused."""
        with self.client() as client:
            return client.call(method, **params)

    def codes(self, method: str, **params: object) -> dict[str, str]:
        """Give the codes of a command by process or group."""
        return {
            answer.get("process") or answer["group"]: answer["code"]
            for answer in self.call(method, **params)
        }

    def status(self, name: str) -> Answer:
        """Give what ``status`` says of one process."""
        (answer,) = self.call("status", names=[name])
        return answer

    def fds(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def settled_fds(self) -> int:
        """Give how many descriptors it has with one client, once that no longer changes."""
        with self.client() as client:
            counts: list[int] = []
            while len(counts) < 4 or len(set(counts[-4:])) > 1:
                client.call("info")
                counts.append(self.fds())
        return counts[-1]

    # --- its end ------------------------------------------------------------------------

    def signal(self, number: int) -> None:
        kill(self.pid, number)

    def wait(self) -> int:
        """Wait for its end, reading what it says; give its exit status."""
        end = monotonic() + DEADLINE
        while self._line(end) is not None:
            pass
        assert self.popen is not None
        return self.popen.wait(DEADLINE)

    def stop(self) -> int:
        """End it in order; give its exit status."""
        assert self.popen is not None
        if self.popen.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def __enter__(self) -> Self:
        self.start()
        try:
            self.expect("supervisord started with pid")
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        left: set[int] = set()
        status = None
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self.stop()
            left = marked(self._mark)
        finally:
            self._clean()
        if kind is None:
            assert status == 0, self._story()
            assert left == set(), f"processes were left behind: {left}"
            assert not self.socket.exists()
            assert not (self.home / "superd.pid").exists()
            assert "Traceback" not in self.stderr, self.stderr

    def _clean(self) -> None:
        """Kill what bears our mark, whatever happened."""
        while left := marked(self._mark):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    kill(pid)
                ended(pid)
        if self.popen is not None and self.popen.stdout is not None:
            self.popen.wait(DEADLINE)
            self.popen.stdout.close()
