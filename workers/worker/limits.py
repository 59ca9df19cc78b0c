"""When a worker has done enough: messages, failures, seconds, bytes.

Checked between messages: the one in hand is always finished first. Source of the
texts: Symfony Messenger 7.2, ``StopWorkerOn...Listener``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Limits:
    """None is no limit. ``seconds`` may have a fraction, ``memory_bytes`` is resident memory."""

    messages: int | None = None
    failures: int | None = None
    seconds: float | None = None
    memory_bytes: int | None = None


def resident_memory() -> int:
    """Bytes of memory this process keeps in RAM."""
    return int(psutil.Process().memory_info().rss)


class Count:
    """What a worker has done so far, against its limits."""

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float],
        memory: Callable[[], int] = resident_memory,
    ) -> None:
        """``clock`` is monotonic; its time starts now."""
        self.received = 0
        self.failed = 0
        self._limits = limits
        self._clock = clock
        self._memory = memory
        self._began = clock()

    def room(self, wanted: int) -> int:
        """How many of ``wanted`` messages may still be received."""
        most = self._limits.messages
        return wanted if most is None else max(0, min(wanted, most - self.received))

    def seconds_left(self) -> float | None:
        """Seconds until the time limit, never below 0; None without one."""
        if self._limits.seconds is None:
            return None
        return max(0.0, self._began + self._limits.seconds - self._clock())

    def reached(self) -> str | None:
        """Say which limit is reached, in the words of the log, or None."""
        limits = self._limits
        if limits.messages is not None and self.received >= limits.messages:
            return f"Worker stopped due to maximum count of {limits.messages} messages processed"
        if limits.failures is not None and self.failed >= limits.failures:
            count = limits.failures
            return f"Worker stopped due to limit of {count} failed message(s) is reached"
        if self.seconds_left() == 0:
            return f"Worker stopped due to time limit of {limits.seconds:.15g}s exceeded"
        return None

    def memory_reached(self) -> str | None:
        """The same for memory, which costs a look into the system."""
        most = self._limits.memory_bytes
        if most is None or (used := self._memory()) <= most:
            return None
        return f"Worker stopped due to memory limit of {most} bytes exceeded ({used} bytes used)"
