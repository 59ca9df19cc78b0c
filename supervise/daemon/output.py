"""One output stream of one process: from the pipes of its children to its log.

Lives as long as the process's entry, over all its children. Where nobody needs
to see the bytes they go by ``splice``; otherwise they are read, changed, and
written. A log that cannot be written holds only its own process up: the pipe
fills, the child waits, we try again; it is said once, and nothing is lost.
Source of the rules: Supervisor 4.3, ``supervisor/dispatchers.py``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from time import monotonic

from supervise.core.diff import wants_pipe
from supervise.core.lines import AnsiStripper
from supervise.core.spec import AUTO, OutputSpec
from supervise.daemon.capture import Capture, Sink, on_disk
from supervise.daemon.disk import SLOW, Disk
from supervise.daemon.pipes import Pipes
from supervise.daemon.trouble import Trouble
from supervise.unix.logfile import CHUNK_BYTES, READ_BYTES, LogFile
from supervise.unix.pipes import USUAL_BYTES, has_ended, waiting_bytes, widen
from supervise.unix.stream import Stream

_GONE = {errno.EPIPE, errno.EIO, errno.ENXIO, errno.ENODEV, errno.ECONNRESET, errno.ENOTCONN}

Consumer = Callable[[bytes], object]


class Output:
    """``label`` is the process's name in the log, ``channel`` is ``stdout`` or ``stderr``.

    ``path`` is where the bytes go, resolved (never AUTO), or None. ``consumers``
    are shown every chunk, in order; chunks are only read where there is one.
    ``followers`` are called after the log has changed.
    """

    __slots__ = (
        "_ansi", "_busy", "_capture", "_disk", "_pending", "_pipes", "_sink", "_spec", "_trouble",
        "channel", "consumers", "followers", "label", "path",
    )  # fmt: skip

    def __init__(
        self, label: str, channel: str, spec: OutputSpec, path: str | None,
        *, strip_ansi: bool, capture: Capture,
    ) -> None:  # fmt: skip
        self.label = label
        self.channel = channel
        self.path = path
        self.consumers: tuple[Consumer, ...] = ()
        self.followers: tuple[Callable[[], None], ...] = ()
        self._spec = spec
        self._capture = capture
        self._ansi = AnsiStripper() if strip_ansi else None
        self._sink: Sink | None = capture.open(path, spec) if path else None
        self._disk: Disk | None = None  # of a regular file, known once that was created
        self._pipes = Pipes(capture.watch, self._readable)  # held: log is slow, full or broken
        self._busy: Disk | None = None  # whose thread moves bytes of ours now
        self._pending = b""  # read from a pipe and not yet written
        self._trouble: Trouble | None = None

    @property
    def needs_pipe(self) -> bool:
        """Whether anybody wants the bytes; if not, the child is given /dev/null."""
        return self._sink is not None or wants_pipe(self._spec)

    def attach(self, fd: int) -> None:
        """Take over the read end of a new child's pipe; earlier ones are read to their end."""
        surplus = self._pipes.one_too_many()
        if surplus is not None:
            self._abandon(surplus)
        self._pipes.add(fd)
        if self._trouble is None and self._spec.logfile != AUTO:
            self.create()

    def create(self) -> None:
        """Make sure that the log exists. An AUTO one otherwise comes with its first byte."""
        if self._sink is not None:
            self._change(self._sink.create)

    def drain(self) -> None:
        """The child is dead: move its last words now, without waiting for anything.

        At most what a pipe can hold: a grandchild may be flooding it. What a slow
        or broken log does not take now stays in the pipe until it does.
        """
        pipes = self._pipes
        for fd in pipes.fds:
            left = CHUNK_BYTES
            while left > 0 and not pipes.held and fd in pipes.fds:
                left -= self._readable(fd) or left

    def reopen(self) -> None:
        """Go on in whatever has the log's name now (SIGUSR2, logrotate)."""
        sink = self._sink
        if sink is None:
            return
        waiting = self._capture.forget_room(sink)
        self._change(sink.reopen)
        for callback in waiting:
            callback()

    def clear(self) -> None:
        """Empty the log. Raises OSError; on a slow disk it is done later, errors are logged."""
        if self._sink is None:
            return
        if self._disk is not None and self._disk.slow:
            self._change(self._sink.clear)
        else:
            self._changed(self._sink.clear())

    def retune(self, spec: OutputSpec, path: str | None, *, strip_ansi: bool) -> None:
        """Obey a changed configuration from the next byte on."""
        self._spec = spec
        if strip_ansi != (self._ansi is not None):
            self._ansi = AnsiStripper() if strip_ansi else None
        if path == self.path:
            if isinstance(self._sink, LogFile):
                self._sink.tune(spec.maxbytes, spec.backups)
            return
        self._release()
        self.path = path
        self._sink = self._capture.open(path, spec) if path else None
        if self._sink is not None:
            self._change(self._sink.create)
        if self._trouble is None and self._busy is None:
            self._flush()

    def close(self) -> None:
        """Let go of pipes and log, after what can be moved at once. A second call is fine."""
        self.drain()
        lost = len(self._pending) + self._pipes.waiting()
        if lost and self._sink is not None and self._busy is None:
            self._capture.report.warn(f"{lost} bytes never reached {self._where}: it is closed")
        for fd in self._pipes.fds:
            self._end(fd)
        self._release()

    # --- moving bytes: in the loop, or by the disk's thread ---------------------------------

    def _readable(self, fd: int) -> int:
        """Move one batch from ``fd``; how many bytes, 0 if none or if that is not known yet."""
        sink = self._sink
        if self._ansi or self.consumers or type(sink) is not LogFile or not sink.splices:
            return self._copy(fd)
        disk = self._disk
        if disk is None:  # an AUTO log, and this is its first byte, or there never was one
            if not waiting_bytes(fd):
                return self._spliced(fd, 0) if has_ended(fd) else 0
            self.create()
            disk = self._disk
        if disk is not None and disk.slow:
            self._give_to(disk, partial(sink.pump_from, fd), partial(self._spliced, fd))
            return 0
        began = monotonic()
        result: int | OSError
        try:
            result = sink.splice_from(fd)
        except OSError as error:
            result = error
        if disk is not None and monotonic() - began > SLOW:
            disk.slow = True
        return self._spliced(fd, result)

    def _spliced(self, fd: int, result: int | OSError) -> int:
        if fd not in self._pipes.fds:  # closed while a thread was at it
            return 0
        if isinstance(result, OSError):
            return self._not_spliced(result)
        if result == 0:
            self._end(fd)
        elif result == USUAL_BYTES:  # it was full: the child had to wait for us
            widen(fd)
        self._went_well()
        return result

    def _not_spliced(self, error: OSError) -> int:
        sink = self._sink
        if sink is None or isinstance(error, BlockingIOError):  # nothing to read or to write to
            self._went_well()
        elif isinstance(sink, LogFile) and not sink.splices:  # by reading, from now on
            self._pipes.flow()
        else:
            self._failed(error)
        return 0

    def _copy(self, fd: int) -> int:
        """Read one batch, write what is to be written of it, show it to who wants to see it."""
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return 0
        count = len(data)
        if not data:
            self._end(fd)
        if self._ansi is not None:
            data = self._ansi.feed(data) if data else self._ansi.flush()
        self._pending = data
        self._flush()
        for consumer in self.consumers if data else ():
            consumer(data)
        return count

    def _flush(self) -> None:
        """Write what is pending, if anything; then go on."""
        sink, disk = self._sink, self._disk
        if sink is None:
            self._pending = b""
        while self._pending and sink is not None:
            if disk is not None and disk.slow:
                self._give_to(disk, partial(sink.write, self._pending), self._written)
                return
            began = monotonic()
            try:
                self._pending = self._pending[sink.write(self._pending) :]
            except OSError as error:
                self._not_written(error)
                return
            if disk is not None and monotonic() - began > SLOW:
                disk.slow = True
        self._went_well()

    def _written(self, result: int | OSError) -> None:
        if isinstance(result, OSError):
            self._not_written(result)
        else:
            self._pending = self._pending[result:]
            self._flush()

    def _not_written(self, error: OSError) -> None:
        sink = self._sink
        if sink is None:  # closed while a thread was at it
            self._flush()
        elif isinstance(sink, Stream) and isinstance(error, BlockingIOError):
            self._pipes.hold()
            self._capture.when_room(sink, self._flush)
        elif isinstance(sink, Stream) and error.errno in _GONE:
            self._drop(error)
        else:
            self._failed(error)

    def _give_to(
        self, disk: Disk, job: Callable[[], int], then: Callable[[int | OSError], object]
    ) -> None:
        self._pipes.hold()
        self._busy = disk
        disk.submit(job, partial(self._done, then))

    def _done(self, then: Callable[[int | OSError], object], result: int | OSError) -> None:
        self._busy = None
        then(result)

    # --- the pipes, the log, and what goes wrong with them ----------------------------------

    @property
    def _where(self) -> str:
        return f"{self.path} ({self.channel} of {self.label})"

    def _end(self, fd: int) -> None:
        """Close one pipe, in its turn if a thread may be reading from it."""
        self._pipes.forget(fd)
        on_disk(self._busy or self._disk, partial(os.close, fd))

    def _abandon(self, fd: int) -> None:
        """Give one pipe up: its child is gone, and too many like it are left."""
        lost = waiting_bytes(fd)
        if self._trouble is not None:
            self._trouble.lost += lost
        if lost:
            text = f"{lost} bytes never reached {self._where}: too many earlier children wait"
            self._capture.report.warn(text)
        self._end(fd)

    def _change(self, work: Callable[[], int]) -> None:
        """Do something to the log file itself, which may fail or take its time."""
        disk = self._disk
        if disk is not None and disk.slow:
            disk.submit(work, self._changed)
            return
        result: int | OSError
        try:
            result = work()
        except OSError as error:
            result = error
        self._changed(result)

    def _changed(self, result: int | OSError) -> None:
        if self._sink is None:  # closed meanwhile
            return
        if isinstance(result, OSError):
            self._failed(result)
            return
        if isinstance(self._sink, LogFile):
            self._disk = self._capture.disk(result)
        if self._trouble is not None:  # it may be over
            self._retry()
        for follower in self.followers:
            follower()

    def _went_well(self) -> None:
        if self._trouble is not None:
            self._trouble.prove(self._over)
        if self._pipes.held:
            self._pipes.flow()
        sink = self._sink
        if sink is not None and sink.complaint is not None:
            self._capture.report.error(sink.complaint)
            sink.complaint = None
        for follower in self.followers:
            follower()

    def _failed(self, error: OSError) -> None:
        """The log cannot be written now: let the pipes fill, say so once, and try again."""
        self._pipes.hold()
        self._in_trouble(error, "its output waits, nothing is lost, trying again").again(
            self._retry
        )

    def _drop(self, error: OSError) -> None:
        """Nobody will ever read this stream: drop what comes, say it once, count it."""
        trouble = self._in_trouble(error, "what comes is dropped until SIGUSR2 reopens it")
        trouble.lost += len(self._pending)
        self._pending = b""
        self._pipes.flow()

    def _in_trouble(self, error: OSError, consequence: str) -> Trouble:
        if self._trouble is None:
            report = self._capture.report
            self._trouble = Trouble(self._capture.loop, report)
            report.error(f"cannot write {self._where}: {error.strerror}; {consequence}")
        return self._trouble

    def _retry(self) -> None:
        trouble, sink, disk = self._trouble, self._sink, self._disk
        if trouble is None or sink is None or self._busy is not None:
            return
        trouble.close()
        trouble.waited = len(self._pending) + self._pipes.waiting()
        if disk is None or not disk.slow:
            try:
                device = sink.create()
            except OSError as error:
                self._failed(error)
                return
            self._disk = self._capture.disk(device) if isinstance(sink, LogFile) else None
        fd = self._pipes.fullest()
        if fd is None or self._pending:
            self._flush()
        else:
            self._readable(fd)

    def _over(self) -> None:
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            trouble.say_it_is_over(self._where)

    def _release(self) -> None:
        if self._trouble is not None:
            self._trouble.close()
            self._trouble = None
        sink, self._sink = self._sink, None
        disk, self._disk = self._disk, None
        if sink is not None:
            self._capture.release(sink, disk)
