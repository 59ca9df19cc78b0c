"""One client's connection: bytes in by lines, bytes out under pressure, and its end.

Knows no protocol. What a stranger can cost is bounded here: bytes kept, seconds waited.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from functools import partial
from typing import cast

READ_AHEAD = 64 * 1024  # bytes of further requests taken while one is answered
WRITE_AT_ONCE = 64 * 1024  # bytes


class TooLong(Exception):
    """A line went beyond what is accepted."""


class Hangups:
    """Notices clients that are gone altogether, for the price of one descriptor.

    The loop hears of it only from a socket it reads: one that had finished talking, or
    that we do not let talk for now, would never be missed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._gone: dict[int, Callable[[], None]] = {}
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        if self._epoll is not None:
            loop.add_reader(self._epoll.fileno(), self._look)

    def watch(self, fd: int, gone: Callable[[], None]) -> None:
        """Call ``gone`` once the other end of ``fd`` has closed both directions."""
        if self._epoll is not None:
            self._gone[fd] = gone
            self._epoll.register(fd, select.EPOLLONESHOT)  # a hang-up is told unasked

    def forget(self, fd: int) -> None:
        """Stop watching ``fd``, before it is closed."""
        if self._gone.pop(fd, None) is not None and self._epoll is not None:
            self._epoll.unregister(fd)

    def close(self) -> None:
        """Stop watching altogether; may be called twice."""
        self._gone.clear()
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _look(self) -> None:
        if self._epoll is None:
            return
        for fd, _ in self._epoll.poll(0):
            if (gone := self._gone.get(fd)) is not None:
                gone()


class Connection(asyncio.Protocol):
    """Both directions of one socket. ``opened`` is called once there is somebody."""

    def __init__(self, opened: Callable[[Connection], None], hangups: Hangups) -> None:
        self._opened = opened
        self._hangups = hangups
        self._fd = -1
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._outgoing = bytearray()
        self._ended = False  # nothing more will come
        self._arrived: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- what the loop tells ------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self.socket is not None:
            self._fd = self.socket.fileno()
            self._hangups.watch(self._fd, partial(_wake, self.gone))
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > READ_AHEAD and self._arrived is None and self._transport:
            self._transport.pause_reading()
        _wake(self._arrived)

    def eof_received(self) -> bool:
        """Keep a client that only finished talking; one that closed altogether is gone."""
        self._ended = True
        _wake(self._arrived)
        if self._closed_altogether():
            _wake(self.gone)
        return True

    def connection_lost(self, _: Exception | None) -> None:
        self._ended = True
        self._hangups.forget(self._fd)
        for future in (self._arrived, self._room, self.gone):
            _wake(future)

    def pause_writing(self) -> None:
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        _wake(self._room)
        self._room = None

    def _closed_altogether(self) -> bool:
        if self.socket is None:
            return True
        poll = select.poll()
        poll.register(self.socket.fileno(), 0)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))

    # --- what the server asks -----------------------------------------------------------

    @property
    def socket(self) -> socket.socket | None:
        transport = self._transport
        found = None if transport is None else transport.get_extra_info("socket")
        return cast("socket.socket | None", found)

    async def read_line(self, most: int) -> bytes | None:
        """Give the next line with its newline; None at the end. Raises TooLong."""
        looked = 0
        while (end := self._buffer.find(b"\n", looked)) < 0:
            looked = len(self._buffer)
            if looked > most:
                raise TooLong
            if self._ended:
                return None
            await self._more()
        if end >= most:
            raise TooLong
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    async def _more(self) -> None:
        assert self._transport is not None
        self._arrived = asyncio.get_running_loop().create_future()
        try:
            self._transport.resume_reading()
            await self._arrived
        finally:
            self._arrived = None

    async def send(self, data: bytes, patience: float) -> None:
        """Send ``data``, together with what else is sent before the loop turns.

        Waits while the client leaves too much unread. Raises ConnectionAbortedError if it
        is gone, TimeoutError if it does not read.
        """
        if self.gone.done():
            raise ConnectionAbortedError
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing += data
        if len(self._outgoing) > WRITE_AT_ONCE:
            self._flush()
        if self._room is not None:
            async with asyncio.timeout(patience):
                await asyncio.shield(self._room)

    def _flush(self) -> None:
        if self._outgoing and self._transport is not None:
            data, self._outgoing = bytes(self._outgoing), bytearray()
            self._transport.write(data)

    def close(self, *, now: bool = False) -> None:
        """End the connection, after what was sent has gone out unless ``now``."""
        if self._transport is not None:
            self._flush()
            if now:
                self._transport.abort()
            else:
                self._transport.close()


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
