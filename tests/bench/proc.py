"""What the kernel says of a process: children, memory, wake-ups, CPU time."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Callable
from pathlib import Path

MIB = 1 << 20


class TookTooLong(Exception):
    """What was waited for did not come."""


def pause(seconds: float) -> None:
    """Let time pass: some figures are what happens in ten seconds."""
    select.select([], [], [], seconds)


def wait_until(question: Callable[[], bool], what: str, *, within: float, every: float) -> None:
    """Ask ``every`` so many seconds until the answer is yes.

    Raises:
        TookTooLong: it was no for ``within`` seconds.
    """
    end = time.monotonic() + within
    while not question():
        if time.monotonic() > end:
            raise TookTooLong(f"not within {within:g} s: {what}")
        pause(every)


def children(pid: int) -> set[int]:
    """Give the pids of the children of all threads of ``pid``."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found.update(map(int, (task / "children").read_text().split()))
    return found


def name_of(pid: int) -> str:
    """Give the name of the program that ``pid`` runs; "" if there is no such process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def sleepers(pid: int) -> set[int]:
    """Give the children of ``pid`` that are ``sleep`` by now, not still on the way to it."""
    return {child for child in children(pid) if name_of(child) == "sleep"}


def wait_for_sleepers(pid: int, count: int, *, within: float) -> None:
    """Wait until ``pid`` has ``count`` children that are ``sleep``."""
    seen: set[int] = set()

    def all_there() -> bool:
        seen.update(child for child in children(pid) - seen if name_of(child) == "sleep")
        return len(seen) >= count

    wait_until(all_there, f"{count} children of {pid}", within=within, every=0.02)


def pss(pid: int) -> float:
    """Give the proportional set size in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise TookTooLong(f"/proc/{pid}/smaps_rollup has no line Pss:")


def wake_ups(pid: int) -> int:
    """Give the voluntary context switches of all threads so far."""
    return sum(
        int(line.split()[1])
        for task in Path(f"/proc/{pid}/task").iterdir()
        for line in (task / "status").read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches:")
    )


def cpu(pid: int) -> float:
    """Give the CPU seconds of all threads so far, ended ones too, to the nanosecond."""
    return time.clock_gettime(
        (~pid << 3) | 2
    )  # CPUCLOCK_SCHED of a process: <linux/posix-timers.h>
