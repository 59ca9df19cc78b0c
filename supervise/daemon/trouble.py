"""A log that cannot be written: said once, tried again ever more slowly, and its end said.

It is over when writing has gone well for ``PROOF`` seconds, so that a disk that
hovers about full is reported once and not once a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from supervise.daemon.log import Log

FIRST_DELAY = 0.5
LAST_DELAY = 5.0
PROOF = 1.0


class Trouble:
    """One spell of failures of one log, from the first to the proof that it works again."""

    __slots__ = ("_delay", "_ended", "_loop", "_report", "_since", "_timer", "lost", "waited")

    def __init__(self, loop: asyncio.AbstractEventLoop, report: Log) -> None:
        self.waited = 0  # bytes that were held up when it was last tried
        self.lost = 0  # bytes given up
        self._loop = loop
        self._report = report
        self._since = monotonic()
        self._ended = 0.0  # when writing went well again; 0 while it does not
        self._delay = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def again(self, retry: Callable[[], None]) -> None:
        """Failed: call ``retry`` later, each time later, in the end every ``LAST_DELAY``."""
        self._ended = 0.0
        self._delay = min(self._delay * 2, LAST_DELAY) if self._delay else FIRST_DELAY
        self._arm(self._delay, retry)

    def prove(self, over: Callable[[], None]) -> None:
        """Went well: call ``over`` if that lasts."""
        if not self._ended:
            self._ended = monotonic()
            self._arm(PROOF, over)

    def say_it_is_over(self, where: str) -> None:
        """Tell the daemon's log what it came to."""
        seconds = self._ended - self._since
        lost = f"{self.lost} were lost" if self.lost else "none was lost"
        text = f"writing {where} again after {seconds:.1f} seconds; {self.waited} bytes had waited"
        self._report.info(f"{text}, {lost}")

    def close(self) -> None:
        """Call nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, delay: float, callback: Callable[[], None]) -> None:
        self.close()
        self._timer = self._loop.call_later(delay, callback)
