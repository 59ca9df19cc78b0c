"""Who of a process group still lives. Zombies do not count.

Nobody is told when a process that is not our child ends, so each member is watched
through a pidfd of its own, or looked for again after a while where there are none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

LOOK_AGAIN = 0.05  # seconds, only where the kernel has no pidfds


def members(group: int) -> list[int]:
    """Give the pids of the live members of process group ``group``, from /proc."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _lives_in(entry, group)
    ]


def _lives_in(entry: Path, group: int) -> bool:
    try:
        stat = (entry / "stat").read_bytes()
    except OSError:
        return False
    state, _, pgrp = stat[stat.rindex(b")") + 2 :].split(None, 3)[:3]
    return int(pgrp) == group and state not in (b"Z", b"X")


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
        use_pidfd: bool = True,
    ) -> None:
        self._loop = loop
        self._group = group
        self._empty = empty
        self._use_pidfd = use_pidfd and hasattr(os, "pidfd_open")
        self._fds: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._done = False

    def look(self) -> None:
        """Look for members now; arms whatever tells of the next change."""
        while not self._done and not self._fds:
            alive = members(self._group)
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
