"""The change signal of a database file: any program that writes it makes a descriptor readable.

inotify watches the database, its write-ahead log and the directory (for the log to
appear and for the file to be replaced). The kernel speaks when the pages are written,
which is shortly *before* the transaction is visible: whoever is woken has to take the
write lock before looking, and so waits for the writer. Every watch may wake for
nothing (a checkpoint, our own write); none sleeps through a change.

Where there is no inotify, ``open_watch`` returns None and the caller asks SQLite.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from pathlib import Path

_IN_MODIFY, _IN_ATTRIB, _IN_MOVED_TO, _IN_CREATE = 0x2, 0x4, 0x80, 0x100
_IN_DELETE_SELF, _IN_MOVE_SELF, _IN_ONLYDIR = 0x400, 0x800, 0x01000000
_FILE = _IN_MODIFY | _IN_ATTRIB | _IN_DELETE_SELF | _IN_MOVE_SELF
_GONE = _IN_ATTRIB | _IN_DELETE_SELF | _IN_MOVE_SELF  # ATTRIB: unlinked, and still open here
_DIRECTORY = _IN_CREATE | _IN_MOVED_TO | _IN_ONLYDIR
_FILES = ("", "-wal", "-journal")
_HEADER = struct.Struct("iIII")


class Watch:
    """Readable (``fileno``) after the file has changed, until ``drain``."""

    def __init__(self, libc: ctypes.CDLL, path: Path) -> None:
        self._libc = libc
        self._path = path.resolve()  # SQLite keeps its log beside the file a link leads to
        places = {path, self._path}
        self._names = {os.fsencode(place.name + suffix) for place in places for suffix in _FILES}
        self._fd: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        try:
            for directory in {place.parent for place in places}:
                self._arm(directory, _DIRECTORY)
        except OSError:
            self.close()
            raise
        self._follow()

    def fileno(self) -> int:
        return self._fd

    def drain(self) -> bool:
        """Forget what was signalled so far; call it before looking, never after.

        True: a file of ours appeared, was replaced or removed.
        """
        appeared = False
        with contextlib.suppress(BlockingIOError):
            while True:
                appeared |= self._mentions_us(os.read(self._fd, 65536))
        if appeared:
            self._follow()
        return appeared

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _mentions_us(self, events: bytes) -> bool:
        """Whether a file of ours was created, replaced or removed."""
        offset = 0
        while offset < len(events):
            _, mask, _, length = _HEADER.unpack_from(events, offset)
            offset += _HEADER.size + length
            name = events[offset - length : offset].rstrip(b"\0")
            if name in self._names or mask & _GONE:
                return True
        return False

    def _follow(self) -> None:
        """Watch what exists now; watching an inode twice is one watch."""
        for suffix in ("", "-wal"):
            with contextlib.suppress(OSError):
                self._arm(self._path.with_name(self._path.name + suffix), _FILE)

    def _arm(self, path: Path, mask: int) -> None:
        if self._libc.inotify_add_watch(self._fd, os.fsencode(path), mask) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))


def open_watch(path: Path) -> Watch | None:
    """A watch of the database at ``path``, or None where the system cannot (limits, macOS)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        return None
    try:
        return Watch(libc, path)
    except OSError:
        return None
