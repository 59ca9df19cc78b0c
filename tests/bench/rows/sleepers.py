"""A thousand sleepers: how soon they are there, and what an idle daemon costs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from tests.bench import proc
from tests.bench.daemon import SLEEPERS, Daemon
from tests.bench.figure import Figure, median
from tests.bench.lab import Lab
from tests.support.children import kill

NO_LOGS = "stdout_logfile=NONE\nstderr_logfile=NONE\n"
SETTLED = 5.0  # seconds until the daemon counts as idle
WATCHED = 10.0  # seconds that it is watched


@dataclass(slots=True)
class Seen:
    """What was measured on one side."""

    start: list[float] = field(default_factory=list)
    start_without_logs: list[float] = field(default_factory=list)
    pss: list[float] = field(default_factory=list)
    wake_ups: list[float] = field(default_factory=list)


def thousand(lab: Lab) -> list[Figure]:
    """``numprocs=1000`` of ``sleep``: start, PSS and wake-ups of one and the same daemon.

    The start is from exec of the daemon until the kernel shows 1,000 children that run
    ``sleep``; with AUTO logs, as is the default, and with NONE. PSS is read from
    smaps_rollup after 5 idle seconds; the wake-ups are voluntary context switches of
    all threads in the 10 seconds after that.
    """
    count = lab.size(1000, 100)
    seen = {side: Seen() for side in lab.sides}
    bare = _bare(count)
    for turn in range(lab.rounds):
        for side, found in seen.items():
            _measure(lab, side, SLEEPERS.format(count=count), found, idle=turn == 0)
            found.start_without_logs.append(
                _start_only(lab, side, SLEEPERS.format(count=count) + NO_LOGS)
            )
    ours, theirs = seen["ours"], seen.get("theirs", Seen())
    their_pss = median(theirs.pss)
    return [
        Figure(
            name=f"exec of the daemon to {count:,} sleepers alive, logs AUTO",
            unit="s",
            ours=median(ours.start),
            theirs=median(theirs.start),
            target=2.5,
            expected=11.8,
            note=f"{count:,} bare posix_spawns: {bare:.2f} s",
        ),
        Figure(
            name=f"exec of the daemon to {count:,} sleepers alive, logs NONE",
            unit="s",
            ours=median(ours.start_without_logs),
            theirs=median(theirs.start_without_logs),
            target=2.5,
            expected=11.8,
        ),
        Figure(
            name=f"PSS of the daemon with {count:,} children",
            unit="MiB",
            ours=median(ours.pss),
            theirs=their_pss,
            target=1.15 * their_pss if their_pss else None,
        ),
        Figure(
            name=f"wake-ups of an idle daemon with {count:,} children in {WATCHED:g} s",
            unit="",
            ours=median(ours.wake_ups),
            theirs=median(theirs.wake_ups),
            target=0.0,
        ),
    ]


def _measure(lab: Lab, side: str, programs: str, found: Seen, *, idle: bool) -> None:
    with lab.home() as home:
        daemon = Daemon(lab, side, home, programs)
        found.start.append(_started(daemon, programs))
        if idle:
            proc.pause(SETTLED)
            found.pss.append(proc.pss(daemon.pid))
            before = proc.wake_ups(daemon.pid)
            proc.pause(WATCHED)
            found.wake_ups.append(proc.wake_ups(daemon.pid) - before)
        daemon.stop()


def _start_only(lab: Lab, side: str, programs: str) -> float:
    with lab.home() as home:
        daemon = Daemon(lab, side, home, programs)
        took = _started(daemon, programs)
        daemon.stop()
        return took


def _started(daemon: Daemon, programs: str) -> float:
    """Start the daemon; give the seconds until all of its sleepers sleep."""
    count = int(programs.partition("numprocs=")[2].split()[0])
    start = time.monotonic()
    daemon.start()
    proc.wait_for_sleepers(daemon.pid, count, within=90)
    return time.monotonic() - start


def _bare(count: int) -> float:
    """Give the seconds that ``count`` posix_spawns of ``sleep`` take by themselves."""
    start = time.monotonic()
    pids = [os.posix_spawnp("sleep", ["sleep", "100000"], os.environ) for _ in range(count)]
    proc.wait_for_sleepers(os.getpid(), count, within=60)
    took = time.monotonic() - start
    for pid in pids:
        kill(pid)
        os.waitpid(pid, 0)
    return took
