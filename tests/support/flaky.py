"""A transport in memory whose store can be taken away, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Sequence

from workers.envelope import Envelope
from workers.errors import TransportError
from workers.transports.base import Sender
from workers.transports.memory import MemoryTransport


class Clock:
    """``now`` in seconds, moved only by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FlakyTransport(MemoryTransport):
    """Refuses the methods in ``broken``; keeps the names of all that were called."""

    def __init__(self, name: str = "async") -> None:
        super().__init__(name)
        self.broken: set[str] = set()
        self.calls: list[str] = []

    def send(self, envelope: Envelope) -> Envelope:
        self._check("send")
        return super().send(envelope)

    def get(self, limit: int, wait: float) -> Sequence[Envelope]:
        self._check("get")
        return super().get(limit, wait)

    def ack(self, *envelopes: Envelope) -> None:
        self._check("ack")
        super().ack(*envelopes)

    def release(self, *envelopes: Envelope) -> None:
        self._check("release")
        super().release(*envelopes)

    def replace(self, envelope: Envelope, again: Envelope, to: Sender | None = None) -> Envelope:
        self._check("replace")
        return super().replace(envelope, again, to)

    def _check(self, method: str) -> None:
        self.calls.append(method)
        if method in self.broken:
            raise TransportError(f"{self.name} cannot {method}")
