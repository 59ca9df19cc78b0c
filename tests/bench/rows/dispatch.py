"""Messages sent one by one to SQLite, one commit each."""

from __future__ import annotations

from tests.bench import rawsql
from tests.bench.figure import Figure, median
from tests.bench.lab import Lab
from tests.bench.queues import Queue

PATIENCE = 6.0  # seconds; a disk that syncs slowly sends fewer messages
TARGETS = {
    "FULL": ("messenger.toml", 4_000.0, 5_900.0),
    "NORMAL": ("normal.toml", 12_000.0, 27_600.0),
}


def dispatch(lab: Lab) -> list[Figure]:
    """``bus.dispatch`` in a loop, synchronous=FULL (the default) and NORMAL; messages a second.

    Beside it huey's own enqueue (FULL, its default) and a bare INSERT of sqlite3 on the same
    kind of table, which is what each figure is judged by.
    """
    count = lab.size(10_000, 2_000)
    figures = []
    for level, (config, target, expected) in TARGETS.items():
        ours, raw = [], []
        for _ in range(lab.rounds):
            ours.append(_rate(lab, "messenger", count, config))
            with lab.home() as home:
                raw.append(rawsql.insert_rate(home / "raw.db", count, level, PATIENCE))
        figures.append(
            Figure(
                name=f"dispatch to SQLite, one commit each, synchronous={level}",
                unit="1/s",
                ours=median(ours),
                theirs=median(raw),
                competitor="raw sqlite3",
                target=target,
                expected=expected,
                more_is_better=True,
                note=_huey(lab, count) if level == "FULL" else "",
            )
        )
    return figures


def _rate(lab: Lab, kind: str, count: int, config: str) -> float:
    with lab.home() as home:
        return Queue(lab, kind, home).send(count, config=config, patience=PATIENCE)


def _huey(lab: Lab, count: int) -> str:
    if lab.huey is None:
        return ""
    rates = [_rate(lab, "huey", count, "messenger.toml") for _ in range(lab.rounds)]
    return f"huey {median(rates):,.0f}"
