"""The read ends of one stream: of the child of now, and of earlier ones that others hold open."""

from __future__ import annotations

import os

from supervise.daemon.watch import Callback, Watch
from supervise.unix.pipes import has_ended, waiting_bytes

KEPT = 16  # pipes of earlier children: a grandchild has them open, or a broken log kept them full


class Pipes:
    """All of them are watched, or, while they are held, none."""

    __slots__ = ("_callback", "_watch", "fds", "held")

    def __init__(self, watch: Watch, callback: Callback) -> None:
        self.fds: tuple[int, ...] = ()  # oldest first
        self.held = False
        self._watch = watch
        self._callback = callback

    def add(self, fd: int) -> None:
        """Take over ``fd``."""
        os.set_blocking(fd, False)
        self.fds += (fd,)
        if not self.held:
            self._watch.add(fd, self._callback)

    def hold(self) -> None:
        """Let them fill."""
        if not self.held:
            self.held = True
            for fd in self.fds:
                self._watch.remove(fd)

    def flow(self) -> None:
        """Watch them again."""
        if self.held:
            self.held = False
            for fd in self.fds:
                self._watch.add(fd, self._callback)

    def forget(self, fd: int) -> None:
        """``fd`` is no longer one of them; closing it is the caller's work."""
        self.fds = tuple(other for other in self.fds if other != fd)
        self._watch.remove(fd)

    def waiting(self) -> int:
        """How many bytes they hold."""
        return sum(map(waiting_bytes, self.fds))

    def fullest(self) -> int | None:
        """The one that holds most, if any holds anything."""
        fd = max(self.fds, key=waiting_bytes, default=None)
        return fd if fd is not None and waiting_bytes(fd) else None

    def one_too_many(self) -> int | None:
        """The one to close before another is added: one that has ended, else the oldest."""
        if len(self.fds) <= KEPT:
            return None
        return next((fd for fd in self.fds if has_ended(fd)), self.fds[0])
