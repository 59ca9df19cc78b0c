"""A file system that logs are written to: in the loop while it is fast, by a thread while not.

Writing in the loop is six times cheaper than handing a line to a thread, as long
as the page cache takes it. Once a write took ``SLOW`` seconds, everything for
that file system goes through one thread, in order, until ``CALM`` writes in a row
were fast. All state changes in the loop's thread, and the loop writes itself only
when the thread has nothing left: no lock is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import signal
import threading
from collections.abc import Callable
from time import monotonic

from supervise.unix import signals

SLOW = 0.020
CALM = 50

Job = Callable[[], int]
Done = Callable[[int | OSError], object]


class Disk:
    """One file system; ``slow`` says whether its files may be touched from the loop."""

    __slots__ = ("_calm", "_jobs", "_loop", "_thread", "_waiting", "slow")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.slow = False
        self._loop = loop
        self._calm = 0
        self._waiting = 0
        self._thread: threading.Thread | None = None
        self._jobs: queue.SimpleQueue[tuple[Job, Done] | None] | None = None

    def submit(self, job: Job, done: Done) -> None:
        """Run ``job`` in the thread, then ``done`` in the loop with its result or ``OSError``."""
        if self._jobs is None:
            self._jobs = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=_work, args=(self._jobs, self._settle), name="log writer", daemon=True
            )  # a daemon thread: a disk that hangs must not keep us from exiting
            self._thread.start()
        self._waiting += 1
        self._jobs.put((job, done))

    def close(self, patience: float = 0.0) -> None:
        """Let the thread end when it has done its work, and wait so long. Twice is fine."""
        jobs, self._jobs = self._jobs, None
        if jobs is not None:
            jobs.put(None)
        if self._thread is not None and patience:
            self._thread.join(patience)

    def _settle(self, done: Done, result: int | OSError, seconds: float) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for this
            self._loop.call_soon_threadsafe(self._settled, done, result, seconds)

    def _settled(self, done: Done, result: int | OSError, seconds: float) -> None:
        self._waiting -= 1
        self._calm = 0 if seconds > SLOW else self._calm + 1
        if self._calm >= CALM and not self._waiting:
            self.slow = False
            self._calm = 0
            self.close()
        done(result)


def _work(
    jobs: queue.SimpleQueue[tuple[Job, Done] | None],
    settle: Callable[[Done, int | OSError, float], None],
) -> None:
    signals.hold_back(signal.valid_signals())  # they are for the thread of the loop
    while (item := jobs.get()) is not None:
        job, done = item
        result: int | OSError
        began = monotonic()
        try:
            result = job()
        except OSError as error:
            result = error
        settle(done, result, monotonic() - began)
