"""Becoming somebody else, and the limits the daemon lives under."""

from __future__ import annotations

import os
import resource

from supervise.core.spec import UserSpec
from supervise.errors import ServerError


def become(user: UserSpec) -> None:
    """Become ``user`` for good. Raises ServerError if that cannot be."""
    if os.getuid() == user.uid:
        return
    try:
        os.setgroups(user.groups)
        os.setgid(user.gid)
        os.setuid(user.uid)
    except OSError as error:
        raise ServerError(
            f"[supervisord] user: cannot become {user.name}: {os.strerror(error.errno or 0)}; "
            "start superd as root, or leave the key out"
        ) from error


def descriptors() -> int:
    """Give the soft RLIMIT_NOFILE of now: ask before it is raised."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def raise_descriptors(least: int, born_with: int) -> tuple[int, int]:
    """Raise our soft RLIMIT_NOFILE to the hard one; give the pair children shall have.

    Children get ``born_with``, the soft limit of our start, or ``least`` (minfds) if that
    is more. Raises ServerError if the hard limit is below ``least``.
    """
    hard = _raise(resource.RLIMIT_NOFILE, "minfds", "file descriptors", least)
    enough = born_with == resource.RLIM_INFINITY or born_with >= least
    return (born_with if enough else least), hard


def raise_processes(least: int) -> None:
    """Make sure of ``least`` (minprocs) processes. Raises ServerError."""
    if hasattr(resource, "RLIMIT_NPROC"):
        _raise(resource.RLIMIT_NPROC, "minprocs", "processes", least)


def _raise(which: int, key: str, what: str, least: int) -> int:
    _, hard = resource.getrlimit(which)
    infinite = resource.RLIM_INFINITY
    if hard != infinite and hard < least:
        if os.getuid() != 0:
            raise ServerError(
                f"[supervisord] {key}={least}: the hard limit of {what} is {hard}; lower {key}, "
                "or raise the limit before superd starts (ulimit -H)"
            )
        hard = least
    try:
        resource.setrlimit(which, (hard, hard))
    except (OSError, ValueError) as error:
        raise ServerError(
            f"[supervisord] {key}={least}: cannot raise the limit: {error}"
        ) from error
    return hard
