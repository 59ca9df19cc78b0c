"""A log file that rotates by size: the only writer of regular log files.

Knows nothing of event loops; every call may block for as long as the disk takes.
Each batch goes to where the file ends *now* (one ``lseek``), so a file that
somebody truncated, or that somebody else writes too, is never overwritten and
never gets a hole. ``os.splice`` moves bytes from a pipe in one system call: a
daemon killed at any moment has lost none and doubled none. It needs a file that
was not opened with ``O_APPEND``.
Source of the rules: Supervisor 4.3, ``supervisor/loggers.py`` (write, then look
at the size; ``.1`` is the youngest backup; no backups: begin again).
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

CHUNK_BYTES = 1024 * 1024  # the most a pipe holds, unless the administrator raised the limit
PUMP_BYTES = 8 * CHUNK_BYTES  # in one turn of a disk's thread, which serves all logs there
READ_BYTES = 128 * 1024  # upstream's read size, where bytes pass through us
_CAN_SPLICE = hasattr(os, "splice")
_CLOSED = -1


class LogFile:
    """Bytes in, ``path``, ``path.1`` ... ``path.N`` out. Opened when the first byte comes.

    An ``auto`` one has a name that was made up, and is for our eyes alone.

    Whatever writes raises ``OSError`` when the disk refuses; what was not written
    is still the caller's (in the pipe, or the end of ``data``). A rotation that
    fails loses nothing either: the file grows on, ``complaint`` says why, and the
    next try comes after another ``maxbytes``.
    """

    __slots__ = (
        "_fd",
        "_first",
        "_full_at",
        "backups",
        "complaint",
        "maxbytes",
        "mode",
        "path",
        "splices",
    )

    def __init__(self, path: str, maxbytes: int, backups: int, *, auto: bool = False) -> None:
        self.path = path
        self.mode = 0o600 if auto else 0o666
        self._first = os.O_EXCL if auto else 0  # a made-up name must be nobody else's
        self.complaint: str | None = None
        self.splices = _CAN_SPLICE  # until a file system refuses
        self._fd = _CLOSED
        self.tune(maxbytes, backups)

    def tune(self, maxbytes: int, backups: int) -> None:
        """Change the limits; ``maxbytes`` 0 means never to rotate."""
        self.maxbytes = maxbytes
        self.backups = backups
        self._full_at = maxbytes

    def create(self) -> int:
        """Make sure that the file and its directory exist; the number of its file system.

        The descriptor is not kept: a silent program costs none.
        """
        if self._fd != _CLOSED:
            return os.fstat(self._fd).st_dev
        fd = self._open()
        try:
            return os.fstat(fd).st_dev
        finally:
            os.close(fd)

    def splice_from(self, pipe: int, count: int = CHUNK_BYTES) -> int:
        """Move what ``pipe`` holds, at most ``count`` bytes, here. 0: the pipe has ended.

        Raises:
            BlockingIOError: the pipe is empty.
            OSError: the file cannot be written, or not spliced to (``splices`` is
                False from then on); the bytes are still in the pipe.
        """
        fd = self._fd
        if fd == _CLOSED:
            fd = self._begin()
        end = os.lseek(fd, 0, os.SEEK_END)
        try:
            moved = os.splice(pipe, fd, count, offset_dst=end, flags=os.SPLICE_F_NONBLOCK)
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
                self.splices = False
            raise
        if 0 < self._full_at <= end + moved:
            self._rotate(end + moved)
        return moved

    def pump_from(self, pipe: int, most: int = PUMP_BYTES) -> int:
        """Splice until ``pipe`` is empty or ``most`` bytes were moved: for a thread's turn.

        Gives and raises what ``splice_from`` does; what fails after some bytes is met
        again by the next call.
        """
        moved = self.splice_from(pipe)
        with contextlib.suppress(OSError):
            while 0 < moved < most and (more := self.splice_from(pipe)):
                moved += more
        return moved

    def write(self, data: bytes) -> int:
        """Append ``data``; how many bytes of it were taken, which may be fewer."""
        fd = self._fd
        if fd == _CLOSED:
            fd = self._begin()
        end = os.lseek(fd, 0, os.SEEK_END)
        written = os.write(fd, data)
        if 0 < self._full_at <= end + written:
            self._rotate(end + written)
        return written

    def reopen(self) -> int:
        """Go on in the file that has our name now: somebody else moved the old one away."""
        self.close()
        return self.create()

    def clear(self) -> int:
        """Empty the file that has our name; backups stay."""
        self.close()
        self._fd = self._open(os.O_TRUNC)
        self._full_at = self.maxbytes
        return self.create()

    def close(self) -> None:
        """Give the descriptor back; the next byte opens the file again."""
        fd, self._fd = self._fd, _CLOSED
        if fd != _CLOSED:
            os.close(fd)

    def _open(self, extra: int = 0) -> int:
        fd = _open(self.path, self.mode, self._first | extra)
        self._first = 0
        return fd

    def _begin(self) -> int:
        self._fd = self._open()
        return self._fd

    def _rotate(self, size: int) -> None:
        try:
            if self.backups > 0:
                self._shift()
                self.close()
                self._begin()
            else:
                os.ftruncate(self._fd, 0)
        except OSError as error:
            self.complaint = f"cannot rotate {self.path}: {error.strerror}; it grows on"
            self._full_at = size + self.maxbytes
        else:
            self._full_at = self.maxbytes

    def _shift(self) -> None:
        for number in range(self.backups - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}.{number}").rename(f"{self.path}.{number + 1}")
        with contextlib.suppress(FileNotFoundError):  # moved away by somebody else
            Path(self.path).rename(f"{self.path}.1")


def tail(path: str, nbytes: int) -> bytes:
    """The last ``nbytes`` bytes of a file, fewer if it is shorter. Raises OSError."""
    # Not to wait, where it is a FIFO, for somebody to write to it.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    with open(fd, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - nbytes))
        return file.read(nbytes) or b""


def _open(path: str, mode: int, extra: int = 0) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | extra
    try:
        return os.open(path, flags, mode)
    except FileNotFoundError:
        make_directory(Path(path).parent)
        return os.open(path, flags, mode)


def make_directory(path: Path) -> None:
    """Make ``path`` and what is missing above it, never writable for others."""
    if not path.is_dir():
        make_directory(path.parent)
        path.mkdir(0o755, exist_ok=True)
