"""Children that say when they are ready, and what a test may do to a process."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Self

DEADLINE = 15.0  # seconds; a busy machine is not a bug

STUBBORN = """\
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[1], "w") as fifo:
    fifo.write(f"{os.getpid()}\\n")
while True:
    signal.pause()
"""
# The leader ends at SIGTERM; its child, a member of its group, does not.
LEAVES_BEHIND = """\
import os, signal, sys
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(sys.argv[1], "w") as fifo:
        fifo.write(f"{os.getpid()}\\n")
while True:
    signal.pause()
"""


def command(home: Path, body: str, *words: object) -> str:
    """Give the command line of a Python program with ``words`` as arguments."""
    script = home / f"child{len(list(home.glob('child*.py')))}.py"
    script.write_text(body)
    return " ".join(map(str, (sys.executable, "-S", "-E", script, *words)))


class Announcements:
    """A FIFO that children write lines to; who waits for one waits under a deadline."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "announcements"
        os.mkfifo(self.path)
        self.path.chmod(0o666)
        self._fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._buffer = b""
        self.heard: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def line(self) -> str:
        """Give the next line."""
        end = monotonic() + DEADLINE
        while b"\n" not in self._buffer:
            left = end - monotonic()
            ready, _, _ = select.select([self._fd], [], [], max(0.0, left))
            assert ready, f"nothing was announced within {DEADLINE} s; before: {self.heard}"
            self._buffer += os.read(self._fd, 65536)
        line, _, self._buffer = self._buffer.partition(b"\n")
        self.heard.append(line.decode())
        return self.heard[-1]

    def lines(self, count: int) -> list[str]:
        return [self.line() for _ in range(count)]


def alive(pid: int) -> bool:
    """Whether ``pid`` is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat[stat.rindex(b")") + 2 :][:1] not in (b"Z", b"X")


def exists(pid: int) -> bool:
    """Whether ``pid`` is there, be it as a zombie."""
    return Path(f"/proc/{pid}").exists()


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to a process that this test has started."""
    os.kill(pid, number)


def ended(pid: int) -> None:
    """Wait until ``pid``, which need not be our child, has ended; a zombie has."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([fd], [], [], DEADLINE)
        assert ready, f"pid {pid} still runs after {DEADLINE} s"
    finally:
        os.close(fd)


def environment_of(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


def our_descriptors() -> list[str]:
    """Give what the test's own process has open."""
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


@contextlib.contextmanager
def public_directory() -> Iterator[Path]:
    """Give a directory that other users may enter; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(prefix="superd-test-") as name:
        home = Path(name)
        home.chmod(0o755)
        yield home


def eventually(question: Callable[[], bool], what: str) -> None:
    """Ask until the answer is yes; for what announces itself to nobody.

    ``question`` should cost a round trip of the thing in question, so that this is no spin.
    """
    end = monotonic() + DEADLINE
    while not question():
        assert monotonic() < end, f"not within {DEADLINE} s: {what}"
        select.select([], [], [], 0.005)


def marked(mark: str) -> set[int]:
    """Give the live processes that have ``mark`` in their environment."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes() and alive(int(entry.name)):
                    found.add(int(entry.name))
    return found - {os.getpid()}


def status_field(pid: int, field: str) -> str:
    """Give one field of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    raise KeyError(field)
