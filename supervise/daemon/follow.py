"""A log as a stream: its last bytes, then what is added, told by its writer.

Nothing is polled: whoever writes the log says that it grew. A rotation or a clearing is
followed; bytes that a rotation moved away before they were read are read from where they
went, for the old file is still open.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Protocol

CHUNK = 64 * 1024
HOW = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK  # it may be a FIFO by now


class Growing(Protocol):
    """Something with a file that grows, and a list of who wants to hear of it."""

    path: str | None
    followers: tuple[Callable[[], None], ...]


async def last(log: Growing, nbytes: int) -> AsyncIterator[bytes]:
    """Give the last ``nbytes`` of ``log`` as it is now, in pieces; at least one, maybe empty.

    Raises OSError if there is no such file.
    """
    assert log.path is not None
    fd = os.open(log.path, HOW)
    try:
        end = os.fstat(fd).st_size
        position = max(0, end - nbytes)
        yield os.pread(fd, min(CHUNK, end - position), position)
        while (position := position + CHUNK) < end:
            yield os.pread(fd, min(CHUNK, end - position), position)
    finally:
        os.close(fd)


async def follow(log: Growing, nbytes: int) -> AsyncIterator[bytes]:
    """Give the last ``nbytes`` of ``log``, then what comes, until the caller stops.

    Raises OSError if there is no such file to begin with.
    """
    assert log.path is not None
    grown = asyncio.Event()
    fd = os.open(log.path, HOW)
    log.followers = (*log.followers, grown.set)
    try:
        position = max(0, os.fstat(fd).st_size - nbytes)
        while True:
            grown.clear()
            while chunk := os.pread(fd, CHUNK, position):
                position += len(chunk)
                yield chunk
            size = os.fstat(fd).st_size
            if size < position:  # emptied
                position = 0
                continue
            if (newer := _reopened(fd, log.path)) is not None:
                os.close(fd)
                fd, position = newer, 0
                continue
            await grown.wait()
    finally:
        os.close(fd)
        log.followers = tuple(other for other in log.followers if other != grown.set)


def _reopened(fd: int, path: str) -> int | None:
    """Give the file that has the name now, if that is another one."""
    try:
        if os.stat(path).st_ino == os.fstat(fd).st_ino:  # noqa: PTH116 - at each batch
            return None
        return os.open(path, HOW)
    except OSError:
        return None
