"""Pipes by the thousand, for the price of one reader of the loop.

asyncio keeps about 450 bytes a reader (handle, context, selector key), and a
thousand children have two pipes each: here a pipe costs a dictionary entry. They
wait in an epoll of our own, and the loop waits for that one.

Waking up costs more than moving a line (35 us of 45 were measured). So after the
first bytes we look again only ``PAUSE`` seconds later, and take what has come from
everybody by then. Who writes a lot is not made to wait, and while nobody writes
nothing wakes us. Where there is no epoll, the loop's own readers do the work.
"""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import Callable

AT_ONCE = 32  # pipes a turn: a flood of many may not keep timers and clients waiting
PAUSE = 0.010
A_LOT = 16 * 1024  # bytes moved in one turn: a quarter of what a pipe holds

Callback = Callable[[int], int]


class Watch:
    """Calls ``callback(fd)`` for each pipe that has bytes or has ended, until it has not.

    The callback says how many bytes it moved. It may add and remove pipes, its own
    too. One whose number was closed and used again within a turn may be called once
    for nothing, so a callback must bear to find nothing to read.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callbacks: dict[int, Callback] = {}
        self._pause: asyncio.TimerHandle | None = None
        if sys.platform == "linux":
            self._epoll = select.epoll()
            loop.add_reader(self._epoll.fileno(), self._turn)

    def add(self, fd: int, callback: Callback) -> None:
        """Watch ``fd`` until it is removed, which must happen before it is closed."""
        if sys.platform == "linux":
            self._epoll.register(fd, select.EPOLLIN)
        else:
            self._loop.add_reader(fd, callback, fd)
        self._callbacks[fd] = callback

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``; one that is not watched is fine."""
        if self._callbacks.pop(fd, None) is None:
            return
        if sys.platform == "linux":
            self._epoll.unregister(fd)
        else:
            self._loop.remove_reader(fd)

    def close(self) -> None:
        """Forget all. A second call is fine."""
        for fd in tuple(self._callbacks):
            self.remove(fd)
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if sys.platform == "linux" and not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _turn(self) -> None:
        """Somebody writes: take it, and unless it was a lot let the next bytes gather."""
        if self._take() < A_LOT:
            self._loop.remove_reader(self._epoll.fileno())
            self._pause = self._loop.call_later(PAUSE, self._after_pause)

    def _after_pause(self) -> None:
        moved = self._take()
        if 0 < moved < A_LOT:
            self._pause = self._loop.call_later(PAUSE, self._after_pause)
        else:  # nobody, or somebody in a hurry
            self._pause = None
            self._loop.add_reader(self._epoll.fileno(), self._turn)

    def _take(self) -> int:
        """Have every ready pipe moved, ``AT_ONCE`` of them; bytes, or a lot if there are more."""
        callbacks = self._callbacks
        moved = 0
        ready = self._epoll.poll(0, AT_ONCE)
        for fd, _ in ready:
            callback = callbacks.get(fd)
            if callback is not None:
                moved += callback(fd)
        return moved if len(ready) < AT_ONCE else moved + A_LOT
