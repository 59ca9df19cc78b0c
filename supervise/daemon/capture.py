"""What all outputs of all processes share: pipes waited for, files by path, disks by device.

Two outputs with the same path share one ``LogFile``, so that a rotation by one is
seen by the other; the limits of the last one hold for both. (Two *names* of one
file, through links, are two files to us: both go on at its end and overwrite
nothing, but after a rotation they part.)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from supervise.core.spec import AUTO, OutputSpec
from supervise.daemon.disk import Disk
from supervise.daemon.log import Log
from supervise.daemon.watch import Watch
from supervise.unix.logfile import LogFile
from supervise.unix.stream import Stream, is_stream

ROOM_POLL = 0.1  # seconds; for what has no room and cannot be waited for
PATIENCE = 1.0  # seconds; for what a slow disk was already given when we go

Sink = LogFile | Stream


class Capture:
    """One for the daemon; closed after the last output."""

    def __init__(self, loop: asyncio.AbstractEventLoop, log: Log) -> None:
        self.loop = loop
        self.report = log
        self.watch = Watch(loop)
        self._disks: dict[int, Disk] = {}
        self._sinks: dict[str, Sink] = {}
        self._shared: dict[str, int] = {}  # users beyond the first
        self._waiting: dict[int, list[Callable[[], None]]] = {}

    def open(self, path: str, spec: OutputSpec) -> Sink:
        """The log named ``path``; give it back with ``release``. Touches no file yet."""
        sink = self._sinks.get(path)
        if sink is not None:
            self._shared[path] = self._shared.get(path, 0) + 1
            if isinstance(sink, LogFile):
                sink.tune(spec.maxbytes, spec.backups)
            return sink
        if is_stream(path):
            sink = Stream(path)
        else:
            sink = LogFile(path, spec.maxbytes, spec.backups, auto=spec.logfile == AUTO)
        self._sinks[path] = sink
        return sink

    def release(self, sink: Sink, disk: Disk | None) -> None:
        """One user less; the last one's log is closed, after what its disk still has to do."""
        others = self._shared.pop(sink.path, 0)
        if others > 1:
            self._shared[sink.path] = others - 1
        if others:
            return
        del self._sinks[sink.path]
        for callback in self.forget_room(sink):
            self.loop.call_soon(callback)  # it may have another log by then
        on_disk(disk, sink.close)

    def disk(self, device: int) -> Disk:
        """The file system with that number."""
        disk = self._disks.get(device)
        if disk is None:
            disk = self._disks[device] = Disk(self.loop)
        return disk

    def when_room(self, sink: Stream, callback: Callable[[], None]) -> None:
        """Call back once, when ``sink`` may take bytes again."""
        fd = sink.fileno()
        waiting = self._waiting.setdefault(fd, [])
        waiting.append(callback)
        if len(waiting) > 1:
            return
        try:
            self.loop.add_writer(fd, self._room, fd)
        except OSError:  # it cannot be polled
            self.loop.call_later(ROOM_POLL, self._room, fd)

    def forget_room(self, sink: Sink) -> list[Callable[[], None]]:
        """Wait for room in ``sink`` no longer, as before closing it; who waited."""
        return self._forget(sink.fileno()) if isinstance(sink, Stream) else []

    def close(self) -> None:
        """Stop waiting for anything; slow disks get a moment to finish. Twice is fine."""
        self.watch.close()
        for fd in tuple(self._waiting):
            self._forget(fd)
        for disk in self._disks.values():
            disk.close(patience=PATIENCE)

    def _room(self, fd: int) -> None:
        """Let one after the other write, until the room is used up again."""
        callbacks = self._forget(fd)
        for done, callback in enumerate(callbacks, start=1):
            callback()
            if fd in self._waiting:
                self._waiting[fd][:0] = callbacks[done:]
                return

    def _forget(self, fd: int) -> list[Callable[[], None]]:
        waiting = self._waiting.pop(fd, None)
        if waiting is None:
            return []
        with contextlib.suppress(OSError):
            self.loop.remove_writer(fd)
        return waiting


def on_disk(disk: Disk | None, work: Callable[[], object]) -> None:
    """Do ``work`` now, or in its turn where a thread is writing to that disk."""
    if disk is None or not disk.slow:
        work()
        return

    def job() -> int:
        work()
        return 0

    disk.submit(job, lambda _: None)
