"""The pid file, and the lock on it that keeps a second daemon away.

The lock is the kernel's: it goes with the process that holds it, however that ends, so a
pid file left behind by a crash stops nobody.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

from supervise.errors import ForbiddenError, ServerError
from supervise.unix.logfile import make_directory

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class PidFile:
    """A locked pid file. Locked first, written once the pid is final, removed at the end."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd: int | None = None

    def lock(self) -> None:
        """Take the lock.

        Raises:
            ForbiddenError: we have no right to the file; nothing else is wrong.
            ServerError: another daemon has it, or the path is bad.
        """
        while self._fd is None:
            try:
                make_directory(Path(self.path).parent)
                fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                why = os.strerror(error.errno or 0)
                if error.errno in _FORBIDDEN:
                    text = f"could not write pidfile {self.path}: {why}"
                    raise ForbiddenError(text) from error
                raise ServerError(f"cannot open pidfile {self.path}: {why}") from error
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                owner = _read(fd)
                os.close(fd)
                raise ServerError(
                    f"another superd is already running with pidfile {self.path} (pid {owner})"
                ) from error
            except OSError as error:  # a file system without locks
                os.close(fd)
                raise ServerError(
                    f"cannot lock pidfile {self.path}: {os.strerror(error.errno or 0)}"
                ) from error
            if self._is_still_there(fd):
                self._fd = fd
            else:  # the one who had it removed it between our open and our lock
                os.close(fd)

    def _is_still_there(self, fd: int) -> bool:
        try:
            return Path(self.path).stat().st_ino == os.fstat(fd).st_ino
        except OSError:
            return False

    def write(self, pid: int) -> None:
        """Write ``pid`` into the file if we have it. Raises ServerError, on a full disk for one."""
        if self._fd is None:
            return
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{pid}\n".encode(), 0)
        except OSError as error:
            raise ServerError(
                f"cannot write pidfile {self.path}: {os.strerror(error.errno or 0)}"
            ) from error

    def close(self) -> None:
        """Remove the file and give the lock back; may be called twice and before ``lock``."""
        if self._fd is None:
            return
        if self._is_still_there(self._fd):
            with contextlib.suppress(OSError):
                Path(self.path).unlink()
        os.close(self._fd)
        self._fd = None


def _read(fd: int) -> str:
    return os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
