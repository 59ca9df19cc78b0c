"""What children write, on its way to their logs: one that floods, and a thousand that chat."""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import proc
from tests.bench.daemon import Daemon, running
from tests.bench.figure import Figure, median
from tests.bench.lab import Lab

BLOCK = 128 * 1024
FLOOD = f"""\
import os, sys, time
blocks = int(sys.argv[1])
block = bytearray((b"x" * 127 + b"\\n") * ({BLOCK} // 128))
with open(sys.argv[2], "w") as started:
    started.write(str(time.monotonic()))
for number in range(blocks):
    block[:16] = b"%015d " % number
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(1, rest):]
"""
FLOODING = """\
[program:flood]
command={python} -S -E %(here)s/flood.py {blocks} %(here)s/started
autostart=false
autorestart=false
startsecs=0
stdout_logfile=%(here)s/flood.log
stdout_logfile_maxbytes=64MB
stdout_logfile_backups=100
"""
# No fork a second, and nothing else to do for the machine than what is measured: bash's own
# read waits on a pipe that nobody writes to.
CHATTING = """\
[program:chat]
command=/bin/bash -c 'exec 3<>%(here)s/silence; while :; do echo a line; read -t 1 -u 3; done'
process_name=%(program_name)s_%(process_num)03d
numprocs={count}
"""


@dataclass(slots=True)
class Flooded:
    """MiB/s and CPU seconds of the daemon per GiB, one of each a run."""

    speed: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def flood(lab: Lab) -> list[Figure]:
    """1 GiB in writes of 128 KiB from one child to its log, which rotates every 64 MB.

    From the child's first write until the files hold every byte; afterwards they are read
    in order and each block must be there, whole and in its place. CPU is the daemon's.
    """
    blocks = lab.size(8192, 1024)
    found = {side: Flooded() for side in lab.sides}
    for _ in range(lab.rounds):
        for side, runs in found.items():
            seconds, cpu = _flood(lab, side, blocks)
            gib = blocks * BLOCK / (1 << 30)
            runs.speed.append(gib * 1024 / seconds)
            runs.cpu.append(cpu / gib)
    ours, theirs = found["ours"], found.get("theirs", Flooded())
    return [
        Figure(
            name="one child's stdout to its log",
            unit="MiB/s",
            ours=median(ours.speed),
            theirs=median(theirs.speed),
            target=median(theirs.speed),
            more_is_better=True,
            note=f"{blocks * BLOCK / (1 << 30):g} GiB, 0 bytes lost",
        ),
        Figure(
            name="CPU of the daemon per GiB of a child's stdout",
            unit="s",
            ours=median(ours.cpu),
            theirs=median(theirs.cpu),
            target=median(theirs.cpu),
        ),
    ]


def chat(lab: Lab) -> list[Figure]:
    """1,000 children that write a line a second each: CPU of the daemon over 10 s, % of a core."""
    count = lab.size(1000, 100)
    shares: dict[str, float] = {}
    for side in lab.sides:
        with lab.home() as home:
            (home / side).mkdir()
            os.mkfifo(home / side / "silence")
            daemon = Daemon(lab, side, home, CHATTING.format(count=count))
            daemon.start()
            proc.wait_until(
                lambda d=daemon: (
                    len(list(d.home.glob("chat_*stdout*"))) >= count  # type: ignore[misc]
                    and len(proc.children(d.pid)) >= count
                ),
                f"{count} children",
                within=90,
                every=0.1,
            )
            proc.pause(5)
            shares[side] = _share(daemon)
            _check_chat(daemon, count)
            daemon.stop()
    return [
        Figure(
            name=f"CPU of the daemon, {count:,} children x 1 line a second",
            unit="% of a core",
            ours=shares["ours"],
            theirs=shares.get("theirs"),
            target=5.0,
            expected=66.0,
        )
    ]


def _flood(lab: Lab, side: str, blocks: int) -> tuple[float, float]:
    """Give the seconds of wall time and of the daemon's CPU for one flood."""
    programs = FLOODING.format(python=sys.executable, blocks=blocks)
    with lab.home() as home, running(lab, side, home, programs) as daemon:
        (daemon.home / "flood.py").write_text(FLOOD)
        before = proc.cpu(daemon.pid)
        daemon.control("start", "flood")
        proc.wait_until(
            lambda: _size(daemon.home) >= blocks * BLOCK,
            f"{blocks * BLOCK} bytes in the logs",
            within=120,
            every=0.005,
        )
        end = time.monotonic()
        cpu = proc.cpu(daemon.pid) - before
        start = float((daemon.home / "started").read_text())
        _check_flood(_logs(daemon.home), blocks)
        return end - start, cpu


def _size(home: Path) -> int:
    """Give the bytes in all logs; 0 while one is being renamed."""
    try:
        return sum(path.stat().st_size for path in _logs(home))
    except FileNotFoundError:
        return 0


def _logs(home: Path) -> list[Path]:
    """Give the log and its backups, oldest first."""
    backups = sorted(
        (path for path in home.glob("flood.log.*") if path.suffix[1:].isdigit()),
        key=lambda path: -int(path.suffix[1:]),
    )
    return [*backups, home / "flood.log"]


def _check_flood(logs: list[Path], blocks: int) -> None:
    expected = 0
    rest = b""
    for path in logs:
        data = rest + path.read_bytes()
        whole = len(data) // BLOCK
        for index in range(whole):
            at = index * BLOCK
            if data[at : at + 16] != b"%015d " % expected:
                raise proc.TookTooLong(f"block {expected} is not in its place in {path.name}")
            expected += 1
        rest = data[whole * BLOCK :]
    if expected != blocks or rest:
        raise proc.TookTooLong(f"{expected} blocks and {len(rest)} bytes, not {blocks} blocks")


def _share(daemon: Daemon) -> float:
    """Give the CPU of ten seconds in % of a core."""
    start, before = time.monotonic(), proc.cpu(daemon.pid)
    proc.pause(10)
    return 100 * (proc.cpu(daemon.pid) - before) / (time.monotonic() - start)


def _check_chat(daemon: Daemon, count: int) -> None:
    """See that the children really chatted: at least 10 lines each by now."""
    for path in daemon.home.glob("chat_*stdout*"):
        if re.match(r"(a line\n){10}", path.read_text()) is None:
            raise proc.TookTooLong(f"{path.name} of {count} has {path.stat().st_size} bytes")
