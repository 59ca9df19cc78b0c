"""``in-memory://``: a queue that lives and dies with its process, for tests and trying out.

With ``serialize=true`` every message is written and read as JSON on its way, so
that a test finds what a real queue would refuse. Everything that was ever sent,
acknowledged and rejected stays in lists of these names until ``reset``.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import threading
import time
from collections.abc import Callable, Sequence

from workers.envelope import Envelope
from workers.serializer import Serializer
from workers.stamps import Delay, TransportMessageId
from workers.transports.base import Sender, Stats, message_id

OPTIONS = frozenset({"serialize"})

_Place = tuple[float, int]  # when it is due, and its number: equal times keep their order


class MemoryTransport:
    place = "the memory of this process"

    def __init__(
        self,
        name: str,
        serializer: Serializer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep envelopes as they are, or through ``serializer``; ``clock`` in seconds."""
        self.name = name
        self.sent: list[Envelope] = []
        self.acknowledged: list[Envelope] = []
        self.rejected: list[Envelope] = []
        self._serializer = serializer
        self._clock = clock
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()  # never taken by ``interrupt``, which signals may call
        self._waiting: list[tuple[float, int, Envelope]] = []
        self._in_hand: dict[int | str, tuple[_Place, Envelope]] = {}
        self._bell: tuple[int, int] | None = None  # a pipe, once somebody waits
        self._interrupted = False

    def send(self, envelope: Envelope) -> Envelope:
        """Queue it; see ``base.Sender``."""
        kept = self._written(envelope.without(TransportMessageId))
        delay = envelope.last(Delay)
        with self._lock:
            number = next(self._numbers)
            kept = kept.with_(TransportMessageId(number))
            due = self._clock() + (delay.seconds if delay else 0.0)
            heapq.heappush(self._waiting, (due, number, kept))
            self.sent.append(kept)
        self._ring()
        return envelope.without(TransportMessageId).with_(TransportMessageId(number))

    def consume_as(self, holder: str) -> None:
        """Do nothing: a dead process leaves nothing here."""

    def get(self, limit: int, wait: float) -> Sequence[Envelope]:
        """Lease what is due; see ``base.Receiver``."""
        end = self._clock() + wait
        while True:
            self._silence()
            taken = self._take(limit)
            remaining = end - self._clock()
            if taken or remaining <= 0 or self._heard_interrupt():
                return taken
            due_in = self.due_in()
            self._wait(remaining if due_in is None else min(remaining, due_in))

    def ack(self, *envelopes: Envelope) -> None:
        self.acknowledged += self._forget(envelopes)

    def reject(self, *envelopes: Envelope) -> None:
        self.rejected += self._forget(envelopes)

    def release(self, *envelopes: Envelope) -> None:
        with self._lock:
            for envelope in envelopes:
                held = self._in_hand.pop(message_id(envelope) or 0, None)
                if held is not None:
                    heapq.heappush(self._waiting, (*held[0], held[1]))
        self._ring()

    def replace(self, envelope: Envelope, again: Envelope, to: Sender | None = None) -> Envelope:
        if message_id(envelope) not in self._in_hand:
            return again
        sent = (to or self).send(again)
        self.reject(envelope)
        return sent

    def interrupt(self) -> None:
        self._interrupted = True
        self._ring()

    def count(self) -> int:
        return self.stats().ready

    def stats(self) -> Stats:
        with self._lock:
            now = self._clock()
            ready = sum(due <= now for due, _, _ in self._waiting)
            return Stats(ready, len(self._waiting) - ready, len(self._in_hand))

    def wake_fds(self) -> Sequence[int]:
        return (self._ears(),)

    def due_in(self) -> float | None:
        with self._lock:
            return max(self._waiting[0][0] - self._clock(), 0.0) if self._waiting else None

    def setup(self) -> None:
        """Do nothing: there is no store."""

    def close(self) -> None:
        """Close the pipe that wakes it; the messages stay as long as the object."""
        bell, self._bell = self._bell, None
        for fd in bell or ():
            os.close(fd)

    def reset(self) -> None:
        """Forget everything, also what was sent and settled."""
        with self._lock:
            for forgotten in (self.sent, self.acknowledged, self.rejected, self._waiting):
                forgotten.clear()
            self._in_hand.clear()

    def _written(self, envelope: Envelope) -> Envelope:
        if self._serializer is None:
            return envelope
        encoded = self._serializer.encode(envelope)
        return self._serializer.decode(encoded.body, encoded.headers)

    def _take(self, limit: int) -> list[Envelope]:
        taken: list[Envelope] = []
        with self._lock:
            now = self._clock()
            while self._waiting and len(taken) < limit and self._waiting[0][0] <= now:
                due, number, envelope = heapq.heappop(self._waiting)
                self._in_hand[number] = ((due, number), envelope)
                taken.append(envelope)
        return taken

    def _forget(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        with self._lock:
            return [
                envelope
                for envelope in envelopes
                if self._in_hand.pop(message_id(envelope) or 0, None) is not None
            ]

    def _ears(self) -> int:
        if self._bell is None:
            self._bell = os.pipe()
            for fd in self._bell:
                os.set_blocking(fd, False)
        return self._bell[0]

    def _wait(self, seconds: float) -> None:
        ears = self._ears()
        if not self._interrupted:  # from here on an interrupt rings the bell, too
            select.select([ears], [], [], seconds)

    def _ring(self) -> None:
        bell = self._bell
        if bell is not None:
            with contextlib.suppress(BlockingIOError):  # full: it has rung often enough
                os.write(bell[1], b"!")

    def _silence(self) -> None:
        if self._bell is not None:
            with contextlib.suppress(BlockingIOError):
                while os.read(self._bell[0], 4096):
                    pass

    def _heard_interrupt(self) -> bool:
        heard, self._interrupted = self._interrupted, False
        return heard
