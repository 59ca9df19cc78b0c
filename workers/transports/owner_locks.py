"""Proof of death across PID namespaces: a lock of the kernel's that ends with its process.

A container that starts again has the same host name and the same kernel but other PIDs,
so the process that held a message cannot be looked up. Its lock can: each holder keeps a
shared lock on one byte of a file beside the database, at the place of its number. Nobody
holds it: the process is gone. It is held: the process lives, or a child of it does.

Wherever SQLite's own locks work these do, too: they are of the same kind (but belong to
the open file, so that closing another one does not end them). Where there are none
(macOS), nothing is proven.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

_FLOCK: Final = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid


class OwnerLocks:
    """The lock file of the database at ``path``."""

    def __init__(self, path: Path) -> None:
        real = path.resolve()  # whatever link leads to the database, its locks are in one place
        self._path = real.with_name(real.name + "-owners")
        self._fd = -1
        self._process = 0

    def hold(self, owner: int) -> int | None:
        """Lock the place of ``owner`` while this process lives; give the file's inode.

        None where that is not possible.
        """
        try:
            self._open(os.O_CREAT)
            self._ask("F_OFD_SETLK", fcntl.F_RDLCK, owner)
            return os.fstat(self._fd).st_ino
        except (OSError, AttributeError):
            return None

    def is_free(self, owner: int, inode: int) -> bool:
        """Tell whether nobody holds the place of ``owner`` in the file of this ``inode``."""
        try:
            self._open(0)
            if os.fstat(self._fd).st_ino != inode:
                return False  # the file was replaced: what is held is not seen here
            return self._ask("F_OFD_GETLK", fcntl.F_WRLCK, owner) == fcntl.F_UNLCK
        except (OSError, AttributeError):
            return False

    def close(self) -> None:
        """Let go of everything. May be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _open(self, create: int) -> None:
        """Open the file that is at the path now; a child after a fork opens its own."""
        if self._fd >= 0 and (self._process != os.getpid() or self._was_replaced()):
            self.close()
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | create, 0o666)
            self._process = os.getpid()

    def _was_replaced(self) -> bool:
        try:
            return not os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return True

    def _ask(self, command: str, kind: int, owner: int) -> int:
        asked = _FLOCK.pack(kind, os.SEEK_SET, owner, 1, 0)
        answer = fcntl.fcntl(self._fd, getattr(fcntl, command), asked)
        found: int = _FLOCK.unpack(answer)[0]
        return found
