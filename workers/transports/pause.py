"""Waiting that can be ended from a signal handler, from another thread, or by a descriptor."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Iterable


class Pause:
    """Wait until told otherwise. ``interrupt`` also ends a wait that has not begun yet."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    @property
    def signal_fd(self) -> int:
        """For ``signal.set_wakeup_fd``: a byte in it ends the wait, too."""
        return self._write

    def interrupt(self) -> None:
        """End the wait that is on, or else the next one. Safe wherever Python runs."""
        with contextlib.suppress(BlockingIOError, OSError):  # full is as good as one byte
            os.write(self._write, b"\0")

    def wait(self, fds: Iterable[int], seconds: float | None) -> bool:
        """Wait until one of ``fds`` is readable; None is for ever. True: it was interrupted."""
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        for fd in fds:
            poll.register(fd, select.POLLIN)
        ready = poll.poll(None if seconds is None else max(0.0, seconds) * 1000)
        interrupted = any(fd == self._read for fd, _ in ready)
        if interrupted:
            self._drain()
        return interrupted

    def close(self) -> None:
        for fd in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._read = self._write = -1

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass
