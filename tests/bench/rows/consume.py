"""One worker that eats a backlog of no-op messages from SQLite."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.bench import rawsql
from tests.bench.figure import Figure, median
from tests.bench.lab import Lab
from tests.bench.queues import Queue, end


@dataclass(slots=True)
class Drained:
    """Messages a second between the first handler and the last; the whole command's seconds."""

    rate: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


def consume(lab: Lab) -> list[Figure]:
    """``messenger consume async --limit=N`` with N and with 10 N waiting, beside huey.

    Handled messages a second from the first handler to the last, one worker process,
    defaults (synchronous=FULL on both sides). What sqlite3 does by itself, message by
    message and in batches of 100, is measured in the same run: it is the floor.
    """
    count = lab.size(10_000, 2_000)
    figures = []
    for backlog, expected in ((count, 3182.0), (10 * count, None)):
        ours, theirs = Drained(), Drained()
        for _ in range(lab.rounds):
            _drain(lab, "messenger", count, backlog, ours)
            if lab.huey is not None:
                _drain(lab, "huey", count, backlog, theirs)
        figures.append(
            Figure(
                name=f"consume {count:,} no-op messages of {backlog:,}, synchronous=FULL",
                unit="1/s",
                ours=median(ours.rate),
                theirs=median(theirs.rate),
                competitor="huey",
                target=10_000.0,
                expected=expected,
                more_is_better=True,
                note=f"the whole command {median(ours.whole):.2f} s",
            )
        )
    return [*figures, *_floors(lab, count)]


def _drain(lab: Lab, kind: str, count: int, backlog: int, found: Drained) -> None:
    with lab.home() as home:
        queue = Queue(lab, kind, home)
        queue.send(backlog, config="fast.toml")
        start = time.monotonic()
        worker = queue.worker(f"--limit={count}")
        try:
            queue.wait_handled(count, worker, within=60)
            if kind == "messenger":
                worker.wait(10)
        finally:
            end(worker)
        found.whole.append(time.monotonic() - start)
        handled = [started for _, started in queue.stamps()[:count]]
        found.rate.append((count - 1) * 1e9 / (handled[-1] - handled[0]))


def _floors(lab: Lab, count: int) -> list[Figure]:
    with lab.home() as home:
        one = rawsql.claim_rate(home / "one.db", count, batch=1, patience=10)
        many = rawsql.claim_rate(home / "many.db", count, batch=100, patience=10)
    return [
        Figure(
            name="raw sqlite3 FULL: claim and delete one by one, and 100 at a time",
            unit="1/s",
            ours=None,
            theirs=one,
            competitor="one by one",
            note=f"in batches of 100: {many:,.0f}",
        )
    ]
