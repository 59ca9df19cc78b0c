"""Leaving the terminal, and what was open before us."""

from __future__ import annotations

import contextlib
import os


def daemonize(umask: int, directory: str | None) -> None:
    """Become a daemon: fork twice, a session of our own, /dev/null for the three streams.

    Returns in the daemon only. Must be called before there is a loop or a thread. Raises
    OSError if ``directory`` cannot be entered.
    """
    if directory is not None:
        os.chdir(directory)  # before the fork: whoever started us is told
    _fork_and_leave()
    os.setsid()
    _fork_and_leave()
    os.umask(umask)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(nothing, fd)
    if nothing > 2:  # noqa: PLR2004 - the three streams
        os.close(nothing)


def _fork_and_leave() -> None:
    if os.fork() > 0:
        os._exit(0)


def have_three_streams() -> None:
    """Open /dev/null for each of the three streams that we were started without.

    A pid file or a socket of ours would get its number else, and be closed or written to.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - the three streams
        os.set_inheritable(fd, True)
    os.close(fd)


def keep_descriptors_to_ourselves() -> None:
    """Mark what we inherited, beyond the three streams, so that no child inherits it.

    Everything we open ourselves is born that way; the spawner relies on it.
    """
    for fd in _inherited():
        with contextlib.suppress(OSError):  # the one of the listing itself is closed by now
            os.set_inheritable(fd, False)


def drop_descriptors() -> None:
    """Close what we inherited, beyond the three streams: before we open anything.

    Whoever started a daemon may wait for the end of a pipe, or for a lock that we hold.
    """
    for fd in _inherited():
        with contextlib.suppress(OSError):
            os.close(fd)


def _inherited() -> list[int]:
    names = os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd")  # noqa: PTH112, PTH208
    return [int(name) for name in names if int(name) > 2]  # noqa: PLR2004 - the three streams
