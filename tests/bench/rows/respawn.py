"""From SIGKILL to the replacement: one child, and a hundred at once."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import deque
from pathlib import Path
from typing import Self

from tests.bench.daemon import Daemon, running
from tests.bench.figure import Figure, median
from tests.bench.lab import Lab
from tests.bench.proc import TookTooLong, pause
from tests.support.children import kill

# A child whose own start costs about a millisecond, the same for everybody: it writes
# its pid into a FIFO and becomes a sleep.
ANNOUNCING = "echo $$ > {directory}/fifo; exec sleep 100000"
PROGRAM = """\
[program:child]
command=/bin/sh -c '{script}'
process_name=%(program_name)s_%(process_num)03d
numprocs={count}
"""
CHILDREN = 8  # of each daemon, killed in turn
GROWN_UP = 1.6  # seconds; above startsecs and restartgap, which are 1 by default


class Ear:
    """The FIFO in which the children of one daemon announce their pids."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        os.mkfifo(directory / "fifo")
        self._fd = os.open(directory / "fifo", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._buffer = b""

    def pids(self, count: int, within: float = 60.0) -> list[int]:
        """Wait for ``count`` announcements.

        Raises:
            TookTooLong: fewer came ``within`` so many seconds.
        """
        end = time.monotonic() + within
        while (heard := self._buffer.count(b"\n")) < count:
            ready, _, _ = select.select([self._fd], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise TookTooLong(f"{heard} of {count} children came within {within:g} s")
            self._buffer += os.read(self._fd, 65536)
        *lines, self._buffer = self._buffer.split(b"\n")
        return [int(line) for line in lines]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


class Family:
    """``count`` announcing children of one daemon, oldest first."""

    def __init__(self, lab: Lab, side: str, home: Path, count: int) -> None:
        self._stack = contextlib.ExitStack()
        self._ear = self._stack.enter_context(Ear(home / side))
        script = ANNOUNCING.format(directory=home / side)
        programs = PROGRAM.format(script=script, count=count)
        self.daemon: Daemon = self._stack.enter_context(running(lab, side, home, programs))
        self.pids = deque(self._ear.pids(count))

    def replace(self, count: int) -> float:
        """Kill the ``count`` oldest; give the milliseconds until all have successors."""
        victims = [self.pids.popleft() for _ in range(count)]
        start = time.monotonic()
        for pid in victims:
            kill(pid)
        self.pids.extend(self._ear.pids(count))
        return (time.monotonic() - start) * 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def one(lab: Lab) -> list[Figure]:
    """SIGKILL of a grown-up child to the line its replacement writes, p50.

    Eight children a daemon take turns, so that each is older than ``restartgap`` when
    its turn comes again; the daemons take turns, too. The floor is the same child
    started by a bare posix_spawn of this process.
    """
    took: dict[str, list[float]] = {side: [] for side in lab.sides}
    with lab.home() as home, contextlib.ExitStack() as stack:
        floor = _floor(home / "floor")
        families = {
            side: stack.enter_context(Family(lab, side, home, CHILDREN)) for side in lab.sides
        }
        pause(GROWN_UP)
        for _ in range(lab.size(50, 8)):
            for side, family in families.items():
                took[side].append(family.replace(1))
            pause(GROWN_UP / CHILDREN)
    return [
        Figure(
            name="SIGKILL of a child to its replacement alive, p50",
            unit="ms",
            ours=median(took["ours"]),
            theirs=median(took.get("theirs", [])),
            target=3.0,
            expected=1003.0,
            note=f"of {len(took['ours'])}; a bare posix_spawn of this child: {floor:.2f} ms",
        )
    ]


def crowd(lab: Lab) -> list[Figure]:
    """100 grown-up children killed in one go, until 100 replacements have announced themselves."""
    count = lab.size(100, 20)
    took: dict[str, list[float]] = {side: [] for side in lab.sides}
    for _ in range(lab.size(5, 1)):
        for side in lab.sides:
            with lab.home() as home, Family(lab, side, home, count) as family:
                pause(GROWN_UP)
                took[side].append(family.replace(count))
    return [
        Figure(
            name=f"{count} children killed at once, all replaced",
            unit="ms",
            ours=median(took["ours"]),
            theirs=median(took.get("theirs", [])),
            target=200.0,
            expected=965.0,
        )
    ]


def _floor(directory: Path) -> float:
    """Give the median milliseconds from a bare posix_spawn to the child's line."""
    took = []
    with Ear(directory) as ear:
        argv = ["/bin/sh", "-c", ANNOUNCING.format(directory=directory)]
        for _ in range(20):
            start = time.monotonic()
            os.posix_spawn(argv[0], argv, os.environ)
            (pid,) = ear.pids(1)
            took.append((time.monotonic() - start) * 1000)
            kill(pid)
            os.waitpid(pid, 0)
    return median(took) or 0.0
