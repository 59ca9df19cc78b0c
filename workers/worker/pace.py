"""How many messages to take at once: as many as are done in about 50 ms.

Pure. A taken message is out of reach for other workers, and messages of a higher
priority wait until a batch is done, so one that takes long must be alone; one that
takes microseconds would cost more to take and to settle than to handle.
"""

from __future__ import annotations

from typing import Final

SLICE: Final = 0.05
"""Seconds that a batch should take."""

_MOST: Final = 1000
_GROWTH: Final = 4


class Pace:
    """Learns from each batch: starts with one message, grows step by step, shrinks at once."""

    def __init__(self) -> None:
        self.batch = 1

    def learn(self, count: int, seconds: float, slowest: float) -> None:
        """``count`` messages took ``seconds`` together, the slowest of them ``slowest``."""
        if slowest >= SLICE or count == 0:
            self.batch = 1
            return
        fits = int(SLICE * count / max(seconds, 1e-9))
        self.batch = max(1, min(fits, self.batch * _GROWTH, _MOST))
