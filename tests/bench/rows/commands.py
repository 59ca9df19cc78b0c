"""Whole commands, as a person or a script runs them: status, and reread with update."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench import proc
from tests.bench.daemon import SLEEPERS, Daemon, all_running
from tests.bench.figure import Figure, median
from tests.bench.lab import Lab

SETTLED = 2.5  # seconds after which everything is RUNNING, startsecs being 1
ONE = "[program:p{number:03d}]\ncommand=sleep {seconds}\n"


def status(lab: Lab) -> list[Figure]:
    """The whole ``status`` command, from fork to exit, with 200 processes; median of 20."""
    count = lab.size(200, 50)
    took: dict[str, list[float]] = {side: [] for side in lab.sides}
    with lab.home() as home, all_running(lab, home, SLEEPERS.format(count=count)) as daemons:
        for daemon in daemons.values():
            proc.wait_for_sleepers(daemon.pid, count, within=60)
        proc.pause(SETTLED)
        for _ in range(lab.size(20, 5)):
            for side, daemon in daemons.items():
                milliseconds, printed = _timed(daemon, "status")
                took[side].append(milliseconds)
                _expect(printed.count(" RUNNING "), count, f"RUNNING in the status of {side}")
    return [
        Figure(
            name=f"whole status command, {count} processes",
            unit="ms",
            ours=median(took["ours"]),
            theirs=median(took.get("theirs", [])),
            target=80.0,
            expected=168.0,
        )
    ]


def update(lab: Lab) -> list[Figure]:
    """``reread`` and ``update`` of 300 files in conf.d: one changed, one added, one removed.

    Both commands are timed from fork to exit and added up. That 298 processes keep their
    pids, and that the other two are what the files say, is checked every time.
    """
    count = lab.size(300, 40)
    rereads: dict[str, list[float]] = {side: [] for side in lab.sides}
    updates: dict[str, list[float]] = {side: [] for side in lab.sides}
    with lab.home() as home:
        for side in lab.sides:
            for number in range(count):
                _program(home / side, number, 100_000)
        with all_running(lab, home, "") as daemons:
            for daemon in daemons.values():
                proc.wait_for_sleepers(daemon.pid, count, within=60)
            proc.pause(SETTLED)
            for turn in range(lab.size(5, 1)):
                for side, daemon in daemons.items():
                    reread, update_ = _change(daemon, turn, count)
                    rereads[side].append(reread)
                    updates[side].append(update_)
    both = {
        side: [a + b for a, b in zip(rereads[side], updates[side], strict=True)] for side in rereads
    }
    parts = ", ".join(
        f"{side} {median(rereads[side]) or 0:.2f} + {median(updates[side]) or 0:.2f}"
        for side in rereads
    )
    return [
        Figure(
            name=f"reread + update, {count} files: one changed, added, removed",
            unit="s",
            ours=median(both["ours"]),
            theirs=median(both.get("theirs", [])),
            target=0.5,
            expected=1.56,
            note=f"{count - 2} survivors each; {parts}",
        )
    ]


def _change(daemon: Daemon, turn: int, count: int) -> tuple[float, float]:
    """Change, add and remove a program; give the seconds of ``reread`` and of ``update``."""
    before = proc.sleepers(daemon.pid)
    _program(daemon.home, 2 * turn, 100_001 + turn)
    (daemon.home / "conf.d" / f"{2 * turn + 1:03d}.conf").unlink()
    _program(daemon.home, count + turn, 100_000)

    reread, said = _timed(daemon, "reread")
    update, done = _timed(daemon, "update")

    _expect(len(said.splitlines()), 3, "lines of reread")
    changed, removed, added = 2 * turn, 2 * turn + 1, count + turn
    for number, words in ((changed, "updated"), (removed, "removed"), (added, "added")):
        _expect(f"p{number:03d}: {words} process group" in done, True, f"{words} in {done!r}")
    proc.wait_until(
        lambda: len(proc.sleepers(daemon.pid)) == count, f"{count} children", within=30, every=0.02
    )
    _expect(len(before & proc.sleepers(daemon.pid)), count - 2, "survivors")
    return reread / 1000, update / 1000


def _program(home: Path, number: int, seconds: int) -> None:
    folder = home / "conf.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number:03d}.conf").write_text(ONE.format(number=number, seconds=seconds))


def _timed(daemon: Daemon, command: str) -> tuple[float, str]:
    """Run a client; give the milliseconds and what it printed."""
    start = time.monotonic()
    printed = daemon.control(command)
    return (time.monotonic() - start) * 1000, printed


def _expect(found: object, right: object, what: str) -> None:
    if found != right:
        raise proc.TookTooLong(f"{what}: {found}, not {right}")
