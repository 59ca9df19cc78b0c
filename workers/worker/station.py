"""One receiver as the loop sees it: its pace, its failures, and what it still owes.

A transport that cannot be used now is left alone for a while, longer each time, and
said once; the others go on. What was handled but could not be written down is settled
before anything new is taken from there: it would be handled twice otherwise.

A message that takes longer than the ones before it must not keep the rest of its batch
from other workers: a timer gives that back, from a thread of its own, while the handler
goes on (unless a call into C holds the interpreter: then as soon as it lets go).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from workers.envelope import Envelope
from workers.errors import WorkersError
from workers.transports.base import Receiver
from workers.worker.pace import SLICE, Pace

logger = logging.getLogger("messenger")

_FIRST: Final = 0.1  # seconds
_LONGEST: Final = 5.0


class Station:
    def __init__(self, receiver: Receiver, clock: Callable[[], float]) -> None:
        self.receiver = receiver
        self.pace = Pace()
        self._clock = clock
        self._handled: list[Envelope] = []
        self._to_release: list[Envelope] = []
        self._trouble: str | None = None
        self._backoff = _FIRST
        self._again_at = 0.0
        self._lock = threading.RLock()

    @property
    def resting(self) -> float:
        """Seconds until it may be asked again; 0 when it works."""
        return max(0.0, self._again_at - self._clock()) if self._trouble else 0.0

    @property
    def owes(self) -> bool:
        """Whether something handled or untouched waits to be written down."""
        return bool(self._handled or self._to_release)

    def take(self, limit: int) -> Sequence[Envelope]:
        """Lease up to ``limit`` messages; nothing while the transport is in trouble."""
        if self.resting:
            return ()
        with self._lock:
            try:
                self._pay()
                taken = self.receiver.get(limit, 0.0)
            except WorkersError as error:
                self.failed(error)
                return ()
            self._recovered()
        return taken

    @contextmanager
    def guarded(self, taken: Sequence[Envelope]) -> Iterator[deque[Envelope]]:
        """Give what is still to be begun, and settle at the end; both earlier if it takes long."""
        rest = deque(taken)
        timer = threading.Timer(2 * SLICE, self._let_go, (rest,))
        timer.daemon = True
        if len(rest) > 1:
            timer.start()
        try:
            yield rest
        finally:
            timer.cancel()
            self._let_go(rest)

    def handled(self, envelope: Envelope) -> None:
        """Acknowledge it with the next ``settle``."""
        with self._lock:
            self._handled.append(envelope)

    def give_back(self, envelopes: Sequence[Envelope]) -> None:
        """Release them with the next ``settle``."""
        with self._lock:
            self._to_release += envelopes

    def settle(self) -> None:
        """Write down what is owed; if the store refuses, it stays owed."""
        with self._lock:
            try:
                self._pay()
            except WorkersError as error:
                self.failed(error)

    def failed(self, error: WorkersError) -> None:
        """Note trouble with the store: say it once, and wait longer each time."""
        text = str(error)
        if text != self._trouble:
            logger.error("%s; trying again until it works", text)
        self._trouble = text
        self._again_at = self._clock() + self._backoff
        self._backoff = min(self._backoff * 2, _LONGEST)

    def _let_go(self, rest: deque[Envelope]) -> None:
        """Give back what was not begun; each message leaves ``rest`` on one side only."""
        back = []
        with suppress(IndexError):
            while True:
                back.append(rest.popleft())
        self.give_back(back)
        self.settle()

    def _pay(self) -> None:
        if self._handled:
            self.receiver.ack(*self._handled)
            self._handled.clear()
        if self._to_release:
            self.receiver.release(*self._to_release)
            self._to_release.clear()

    def _recovered(self) -> None:
        if self._trouble is not None:
            logger.warning("transport %s works again", self.receiver.name)
        self._trouble, self._backoff = None, _FIRST
