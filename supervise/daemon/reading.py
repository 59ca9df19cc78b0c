"""Reading the configuration, in a short-lived child that hands the plan back as data.

A file that is slow, huge or broken costs the child, never the daemon. What was read once
is not read again while none of its files has changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence

from supervise.clock import Clock
from supervise.core import plan as codec
from supervise.core.machine import ExitStatus
from supervise.core.spec import Plan, ProcessSpec, Source
from supervise.errors import ConfigError, SpawnError
from supervise.unix import signals
from supervise.unix.reap import Reaper
from supervise.unix.spawn import Child, Spawner, run_tool

TIMEOUT = 30.0  # seconds; 300 files take 0.2
LARGEST = 256 * 1024 * 1024  # bytes of a plan
FRESH_NS = 20_000_000  # a file changed this shortly before a reading may change again unseen


def argv(path: str, cwd: str, overrides: Mapping[str, str]) -> list[str]:
    """Give the command line of the child that reads ``path``; relative ones start in ``cwd``."""
    settings = [
        part for key, value in overrides.items() for part in ("--override", f"{key}={value}")
    ]
    return [sys.executable, "-P", "-m", "supervise.config.load", "--cwd", cwd, *settings, path]


def read_first(path: str, cwd: str, overrides: Mapping[str, str]) -> Plan:
    """Read the configuration before there is a loop. Raises ConfigError."""
    try:
        status, out, err = run_tool(argv(path, cwd, overrides), b"", TIMEOUT)
    except (OSError, TimeoutError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from error
    return _plan(path, status, out, err)


def _plan(path: str, status: int, out: bytes, err: bytes) -> Plan:
    """Take the child's answer apart. Raises ConfigError with the problems it found."""
    if not out:
        last = err.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise ConfigError([f"{path}: the reader ended with status {status}: {' '.join(last)}"])
    return codec.decode(out.decode("utf-8", "surrogateescape").splitlines())


class Reader:
    """Reads the configuration again, beside everything else that goes on."""

    def __init__(
        self,
        path: str,
        command: Sequence[str],
        *,
        spawner: Spawner,
        reaper: Reaper,
        clock: Clock,
        plan: Plan,
    ) -> None:
        self._path = path
        self._command = tuple(command)  # from ``argv``
        self._spawner = spawner
        self._reaper = reaper
        self._lock = asyncio.Lock()
        self._clock = clock
        self._plan = plan
        self._sound = _settled(plan.sources, clock.wall())

    async def read(self) -> Plan:
        """Give the plan that the files mean now. Raises ConfigError."""
        async with self._lock:
            if not (self._sound and _unchanged(self._plan.sources)):
                began = self._clock.wall()
                self._plan = await self._read()
                self._sound = _settled(self._plan.sources, began)
            return self._plan

    async def _read(self) -> Plan:
        spec = ProcessSpec("config", "config", "config", shlex.join(self._command))
        try:
            child = self._spawner.spawn(spec, {}, stdout=True, stderr=True)
        except (SpawnError, OSError) as error:
            raise ConfigError([f"{self._path}: cannot start the reader: {error}"]) from error
        ended: asyncio.Future[ExitStatus] = asyncio.get_running_loop().create_future()
        self._reaper.watch(child.pid, child.pidfd, lambda status: _tell(ended, status))
        try:
            async with asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as both:
                out = both.create_task(_slurp(child.stdout))
                err = both.create_task(_slurp(child.stderr))
                status = await ended
        except TimeoutError as error:
            text = f"{self._path}: the reader gave no plan within {TIMEOUT:g} seconds"
            raise ConfigError([text]) from error
        except ExceptionGroup as errors:
            raise ConfigError([f"{self._path}: the reader gave {errors.exceptions[0]}"]) from errors
        finally:
            self._bury(child, ended)
        return _plan(self._path, status.code, out.result(), err.result())

    def _bury(self, child: Child, ended: asyncio.Future[ExitStatus]) -> None:
        """End a reader that is still there and give its descriptors back."""
        if not ended.done() or ended.cancelled():  # cancelled with whoever waited for it
            with contextlib.suppress(OSError):
                signals.send(child.pid, child.pidfd, signal.SIGKILL, group=True)
        if child.pidfd is not None:
            self._reaper.forget_fd(child.pidfd)
        for fd in (child.pidfd, child.stdin, child.stdout, child.stderr):
            if fd is not None:
                os.close(fd)


def _tell(ended: asyncio.Future[ExitStatus], status: ExitStatus) -> bool:
    if not ended.done():
        ended.set_result(status)
    return True


async def _slurp(fd: int | None) -> bytes:
    """Read ``fd`` to its end. Raises ValueError for more than LARGEST bytes."""
    assert fd is not None
    loop = asyncio.get_running_loop()
    chunks: list[bytes] = []
    size = 0
    while size <= LARGEST:
        try:
            chunk = os.read(fd, 1 << 20)
        except BlockingIOError:
            ready = loop.create_future()
            loop.add_reader(fd, _wake, ready)
            try:
                await ready
            finally:
                loop.remove_reader(fd)
            continue
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
    raise ValueError(f"a plan of more than {LARGEST} bytes")


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _unchanged(sources: Iterable[Source]) -> bool:
    """Whether every file and directory is as it was when it was read."""
    return all(_look(source.path) == source for source in sources)


def _look(path: str) -> Source:
    """Give what ``path`` is now; all zeros for what is not there, as the reader does."""
    try:
        stat = os.stat(path)  # noqa: PTH116 - hundreds of them at each reread
    except OSError:
        return Source(path, 0, 0, 0)
    return Source(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _settled(sources: Iterable[Source], wall: float) -> bool:
    """Whether the files are so old that a change since would show in their time stamps."""
    newest = max((source.mtime_ns for source in sources), default=0)
    return 0 < newest < wall * 1e9 - FRESH_NS
