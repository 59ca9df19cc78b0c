"""Logs that are no regular files: terminals, pipes, FIFOs, sockets, devices, /dev/stdout.

They cannot be rotated or cleared, and a write never waits: where there is no
room it raises ``BlockingIOError``, and ``fileno()`` is what to wait for.

``/dev/stdout`` and its kin name a descriptor we hold already. Opened anew, a pipe
or a terminal gives us a description of our own, which may be non-blocking without
anybody else noticing. A socket cannot be opened (ENXIO) and a regular file must not
be (a second offset would overwrite the first): those are written through the
descriptor itself.
"""

from __future__ import annotations

import os
import re
import select
import socket
import stat
from pathlib import Path

_OWN = re.compile(r"/dev/(?:stdin|stdout|stderr|fd/(\d+))|/proc/self/fd/(\d+)")
_STANDARD = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_CLOSED = -1
_POLITE_BYTES = 4096  # PIPE_BUF: what a pipe that polls writable takes without blocking


def is_stream(path: str) -> bool:
    """Whether ``path`` is to be written by a ``Stream``; a path that is not there is not."""
    if own_descriptor(path) is not None:
        return True
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - two for each of a thousand children
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def own_descriptor(path: str) -> int | None:
    """The number of the descriptor of ours that ``path`` names, if it does."""
    match = _OWN.fullmatch(path)
    if match is None:
        return None
    number = match[1] or match[2]
    return _STANDARD[path] if number is None else int(number)


class Stream:
    """One such log. Opened when the first byte comes; knows nothing of event loops."""

    __slots__ = ("_fd", "_shared", "_socket", "complaint", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.complaint: str | None = None  # as a LogFile has; nothing rotates here
        self._fd = _CLOSED
        self._shared = False  # our descriptor blocks, and others write through it too
        self._socket: socket.socket | None = None

    def fileno(self) -> int:
        """What to wait for until there is room; -1 while closed."""
        return self._fd

    def create(self) -> int:
        """Open it now, so that an error is seen now; 0, it is on no disk."""
        if self._fd == _CLOSED:
            self._open()
        return 0

    def write(self, data: bytes) -> int:
        """Write some of ``data``; how many bytes were taken.

        Raises:
            BlockingIOError: no room now.
            BrokenPipeError: nobody will ever read this.
            OSError: anything else, a full device among it.
        """
        self.create()
        if self._socket is not None:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        if not self._shared:
            return os.write(self._fd, data)
        if not _has_room(self._fd):
            raise BlockingIOError
        return os.write(self._fd, data[:_POLITE_BYTES])

    def reopen(self) -> int:
        """Open again what has the name now."""
        self.close()
        return self.create()

    def clear(self) -> int:
        """Nothing: what was written here is gone already."""
        return 0

    def close(self) -> None:
        """Give the descriptor back; the next byte opens it again."""
        fd, self._fd = self._fd, _CLOSED
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        elif fd != _CLOSED:
            os.close(fd)

    def _open(self) -> None:
        own = own_descriptor(self.path)
        flags = os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK | os.O_APPEND
        if own is None:
            self._fd = _open_fifo_or_device(self.path, flags)
            return
        mode = os.fstat(own).st_mode
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(own))
            self._fd = self._socket.fileno()
            return
        try:
            self._fd = _CLOSED if stat.S_ISREG(mode) else os.open(self.path, os.O_WRONLY | flags)
        except OSError:  # opened by root before we dropped the right to
            self._fd = _CLOSED
        self._shared = self._fd == _CLOSED
        if self._shared:
            self._fd = os.dup(own)


def _open_fifo_or_device(path: str, flags: int) -> int:
    """A FIFO is opened for reading too: no reader yet, or none for a while, is no error then."""
    if stat.S_ISFIFO(Path(path).stat().st_mode):
        try:
            return os.open(path, os.O_RDWR | flags)
        except PermissionError:  # we may not read it
            pass
    return os.open(path, os.O_WRONLY | flags)


def _has_room(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))
