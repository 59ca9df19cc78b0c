"""The two clocks: monotonic seconds for deadlines, wall seconds for people.

Nothing else in the house reads the time; the pure core is handed it.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean something."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, for people and for status; may jump."""
        ...


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()  # noqa: TID251 - this is the one place the ban points to
