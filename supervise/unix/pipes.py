"""What can be known of a pipe without reading from it."""

from __future__ import annotations

import array
import contextlib
import fcntl
import select
import termios


def waiting_bytes(pipe: int) -> int:
    """How many bytes ``pipe`` holds; 0 also where that cannot be asked."""
    count = array.array("i", [0])
    with contextlib.suppress(OSError):
        fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def has_ended(pipe: int) -> bool:
    """Whether ``pipe`` is empty and nobody can write to it any more."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return [event for _, event in poll.poll(0)] == [select.POLLHUP]
