"""How soon an idle worker starts on a message, and what its idling costs."""

from __future__ import annotations

import time

from tests.bench import proc
from tests.bench.figure import Figure, median, percentile
from tests.bench.lab import Lab
from tests.bench.queues import Queue, end

IDLE = 10.0  # seconds that the worker is watched doing nothing


def latency(lab: Lab) -> list[Figure]:
    """50 messages at random gaps of 10 to 260 ms to an idle worker; then 10 s without any.

    From the call that sends a message, in another process, to the first line of its handler.
    The idle CPU is the worker's, all threads, in % of a core.
    """
    count = lab.size(50, 15)
    took: dict[str, list[float]] = {}
    idle: dict[str, float] = {}
    for kind in ("messenger", "huey") if lab.huey is not None else ("messenger",):
        took[kind], idle[kind] = _watch(lab, kind, count)
    ours, theirs = took["messenger"], took.get("huey", [])
    return [
        Figure(
            name="message dispatched to handler started, idle worker, p50",
            unit="ms",
            ours=median(ours),
            theirs=median(theirs),
            competitor="huey",
            target=10.0,
            expected=70.0,
        ),
        Figure(
            name="message dispatched to handler started, idle worker, p99",
            unit="ms",
            ours=percentile(ours, 0.99),
            theirs=percentile(theirs, 0.99),
            competitor="huey",
        ),
        Figure(
            name="CPU of an idle worker",
            unit="% of a core",
            ours=idle["messenger"],
            theirs=idle.get("huey"),
            competitor="huey",
            target=0.5,
        ),
    ]


def _watch(lab: Lab, kind: str, count: int) -> tuple[list[float], float]:
    """Give the milliseconds of each message and the idle CPU."""
    with lab.home() as home:
        queue = Queue(lab, kind, home)
        queue.send(1)
        worker = queue.worker()
        try:
            queue.wait_handled(1, worker, within=30)  # it is up, and idle from now on
            proc.pause(0.5)
            queue.send(count, gaps=True)
            queue.wait_handled(count + 1, worker, within=30)
            proc.pause(2)
            start, before = time.monotonic(), proc.cpu(worker.pid)
            proc.pause(IDLE)
            idle = 100 * (proc.cpu(worker.pid) - before) / (time.monotonic() - start)
        finally:
            end(worker)
        return [
            (started - sent) / 1e6 for sent, started in queue.stamps()[2:]
        ], idle  # of each process not its first
