"""Collecting the dead: the only caller of wait.

A child is first looked at without being collected, so that whoever watches it may hold
it: an uncollected leader keeps its process group's number from being given to strangers.
With pidfds (Linux >= 5.3) each child's death wakes us through one epoll descriptor;
without them, and for orphans that the kernel hands to a subreaper, SIGCHLD does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from supervise.core.machine import ExitStatus
from supervise.unix.listen import SignalListener

PR_SET_CHILD_SUBREAPER = 36

Died = Callable[[ExitStatus], bool]  # True: collect it now; False: hold it until release()
Orphan = Callable[[int, ExitStatus], None]


class Reaper:
    """Tells each watcher of its child's death, once, and collects what nobody watches."""

    def __init__(self, orphan: Orphan) -> None:
        self._orphan = orphan
        self._watchers: dict[int, Died] = {}
        self._pids: dict[int, int] = {}  # pidfd -> pid
        self._held: set[int] = set()
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._loop: asyncio.AbstractEventLoop | None = None

    def install(self, loop: asyncio.AbstractEventLoop, listener: SignalListener) -> None:
        """Start listening on ``loop``; children that died before are found at once."""
        self._loop = loop
        listener.on(signal.SIGCHLD, self._on_sigchld)
        if self._epoll is not None:
            loop.add_reader(self._epoll.fileno(), self._on_pidfds)
        self._on_sigchld()

    def close(self) -> None:
        """Stop listening; may be called twice and before ``install``."""
        if self._loop is not None:
            if self._epoll is not None:
                self._loop.remove_reader(self._epoll.fileno())
            self._loop = None
        if self._epoll is not None:
            self._epoll.close()
            self._epoll = None

    def watch(self, pid: int, pidfd: int | None, died: Died) -> None:
        """Call ``died`` when our child ``pid`` has ended. It must not have been waited for."""
        self._watchers[pid] = died
        if pidfd is not None and self._epoll is not None:
            self._pids[pidfd] = pid
            self._epoll.register(pidfd, select.EPOLLIN | select.EPOLLONESHOT)

    def release(self, pid: int) -> None:
        """Collect a child that was held."""
        self._held.discard(pid)
        _collect(pid)
        if self._loop is not None:  # it may have hidden others from us
            self._loop.call_soon(self._on_sigchld)

    def forget_fd(self, pidfd: int) -> None:
        """Take a pidfd back before its owner closes it."""
        if self._pids.pop(pidfd, None) is not None and self._epoll is not None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(pidfd)

    def _on_pidfds(self) -> None:
        if self._epoll is None:
            return
        for pidfd, _ in self._epoll.poll(0):
            pid = self._pids.get(pidfd)
            if pid is not None and (status := _peek(os.P_PID, pid)) is not None:
                self._tell(pid, status[1])

    def _on_sigchld(self) -> None:
        """Look for the dead until there are none; one signal may stand for many."""
        while (found := _peek(os.P_ALL, 0)) is not None:
            pid, status = found
            if pid in self._held:
                self._pass_by_the_held()
                return
            self._tell(pid, status)

    def _pass_by_the_held(self) -> None:
        """Look at every child by name: a held one would be found first for ever.

        The kernel's list may miss some while others come and go, but none that is watched.
        """
        for pid in {*self._watchers, *_children()}:
            if pid not in self._held and (found := _peek(os.P_PID, pid)) is not None:
                self._tell(pid, found[1])

    def _tell(self, pid: int, status: ExitStatus) -> None:
        died = self._watchers.pop(pid, None)
        if died is None:
            if pid not in self._held:
                _collect(pid)
                self._orphan(pid, status)
        elif died(status):
            _collect(pid)
        else:
            self._held.add(pid)


def become_subreaper() -> bool:
    """Ask the kernel to hand us the orphans among our descendants; False if it cannot."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) == 0


def _peek(kind: int, which: int) -> tuple[int, ExitStatus] | None:
    """Give pid and status of a dead child that was not collected yet, None if none is."""
    try:
        info = os.waitid(kind, which, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    if info is None:
        return None
    if info.si_code == os.CLD_EXITED:
        return info.si_pid, ExitStatus(info.si_status)
    return info.si_pid, ExitStatus(-1, info.si_status, core=info.si_code == os.CLD_DUMPED)


def _collect(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)


def _children() -> Iterator[int]:
    """Give the pids of our children, from the kernel's own list."""
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            yield from map(int, (task / "children").read_text().split())
