"""Who of a process group still lives. Zombies do not count.

Nobody is told when a process that is not our child ends, so each member is watched
through a pidfd of its own, or looked for again after a while where there are none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator

LOOK_AGAIN = 0.05  # seconds, only where the kernel has no pidfds


def everybody() -> dict[int, list[int]]:
    """Give the pids of all live processes by their process group."""
    groups: dict[int, list[int]] = {}
    for pid, group in _from_proc() if sys.platform == "linux" else _from_psutil():
        groups.setdefault(group, []).append(pid)
    return groups


def _from_proc() -> Iterator[tuple[int, int]]:
    for name in os.listdir("/proc"):  # noqa: PTH208 - thousands of them
        if name.isdigit() and (group := _group_of(name)):
            yield int(name), group


def _from_psutil() -> Iterator[tuple[int, int]]:
    """Do it where there is no /proc; ten times slower."""
    import psutil  # noqa: PLC0415 - 2 MiB that Linux does not need

    for process in psutil.process_iter(["status"]):
        if process.info["status"] not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            with contextlib.suppress(OSError):
                yield process.pid, os.getpgid(process.pid)


def _group_of(pid: str) -> int:
    """Give the process group of a live process, 0 of one that is dead or gone."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        stat = os.read(fd, 512)
    except OSError:
        return 0
    finally:
        os.close(fd)
    state, _, group = stat[stat.rindex(b")") + 2 :].split(None, 3)[:3]
    return 0 if state in (b"Z", b"X") else int(group)


class Census:
    """Who lives, counted once a turn of the loop for all who ask.

    A count costs 10 us a process of the machine, and a thousand groups may be stopped at
    once. What was noticed within a turn had happened before it, so it is in the count.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._groups: dict[int, list[int]] | None = None

    def members(self, group: int, *, afresh: bool = False) -> list[int]:
        """Give the live members of ``group``; counts again if ``afresh``."""
        if self._groups is None:
            self._loop.call_soon(self._forget)
        if self._groups is None or afresh:
            self._groups = everybody()
        return self._groups.get(group, [])

    def _forget(self) -> None:
        self._groups = None


class EmptyWatch:
    """Calls ``empty`` once when process group ``group`` has no live member left.

    The leader must stay uncollected until then, so that the number stays ours.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        group: int,
        empty: Callable[[], None],
        *,
        census: Census,
        use_pidfd: bool = True,
    ) -> None:
        self._loop = loop
        self._census = census
        self._group = group
        self._empty = empty
        self._use_pidfd = use_pidfd and hasattr(os, "pidfd_open")
        self._fds: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._done = False

    def look(self) -> None:
        """Look for members now; arms whatever tells of the next change."""
        afresh = False
        while not self._done and not self._fds:
            alive = self._census.members(self._group, afresh=afresh)
            afresh = True
            if not alive:
                self.close()
                self._empty()
                return
            if not self._use_pidfd or not self._watch(alive):
                self._timer = self._loop.call_later(LOOK_AGAIN, self.look)
                return

    def _watch(self, alive: list[int]) -> bool:
        """Watch all of ``alive``; False if that cannot be done for want of descriptors."""
        for pid in alive:
            try:
                fd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue  # gone since: look() looks again when no other is left
            except OSError:
                return False
            self._fds.add(fd)
            self._loop.add_reader(fd, self._ended, fd)
        return True

    def _ended(self, fd: int) -> None:
        self._drop(fd)
        self.look()

    def _drop(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        self._fds.discard(fd)
        with contextlib.suppress(OSError):
            os.close(fd)

    def close(self) -> None:
        """Stop watching; may be called twice."""
        self._done = True
        if self._timer is not None:
            self._timer.cancel()
        for fd in list(self._fds):
            self._drop(fd)
