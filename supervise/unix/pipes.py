"""What can be known of a pipe without reading from it."""

from __future__ import annotations

import array
import contextlib
import fcntl
import select
import termios

USUAL_BYTES = 64 * 1024  # what a pipe holds unless somebody asked for more
MOST_BYTES = 1024 * 1024  # what anybody may ask for


def widen(pipe: int) -> None:
    """Let ``pipe`` hold as much as one may ask for, if the kernel still has as much for us."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, MOST_BYTES)


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
