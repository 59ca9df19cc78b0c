"""When a failed message is tried again, and what its envelope then says.

Pure: chance and time come in as arguments. What cannot succeed is given up at
once, what asks for it is tried for ever, and a message that lies in the failure
transport is never given up: nothing is deleted because it failed too often.
Source of the rules: Symfony Messenger 7.2, ``MultiplierRetryStrategy`` and
``SendFailedMessageForRetryListener``; the last of the three is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from workers.envelope import Envelope, Stamp
from workers.errors import (
    DecodeError,
    HandlerFailedError,
    RecoverableError,
    UnrecoverableError,
)
from workers.stamps import (
    ConsumedByWorker,
    Delay,
    ErrorDetails,
    Handled,
    Received,
    Redelivery,
    Sent,
    SentToFailureTransport,
    TransportMessageId,
)

HISTORY = 10
"""How many stamps of a kind a message gathers: the first, and the newest."""

_LONGEST = 366 * 86_400.0  # a store's dates end, and powers of two do not
_REST = 3_600.0  # seconds a message of the failure transport rests at most before it returns


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how late: times in seconds, ``max_delay`` 0 for no bound, ``jitter`` 0..1."""

    max_retries: int = 3
    delay: float = 1.0
    multiplier: float = 2.0
    max_delay: float = 0.0
    jitter: float = 0.1

    def next_try(
        self, envelope: Envelope, error: Exception, luck: float, now: datetime
    ) -> Envelope | None:
        """Give the envelope to send again, or None to give up. ``luck`` is in 0..1.

        ``error`` is what the dispatch raised. Handlers that succeeded are not
        called again.
        """
        retries = _retries(envelope)
        resting = envelope.last(SentToFailureTransport) is not None
        asked = _recoverable(error)
        if asked is None and not resting and (retries >= self.max_retries or _hopeless(error)):
            return None
        if asked is not None and asked.delay is not None:
            delay = asked.delay
        elif resting and _hopeless(error):
            delay = _REST
        else:
            delay = self.wait(retries, luck)
        longest = _REST if resting else _LONGEST
        again = _with_error(envelope, error)
        return _redelivered(again, min(max(delay, 0.0), longest), retries + 1, now)

    def wait(self, retries: int, luck: float) -> float:
        """Seconds before the next try of a message that was retried ``retries`` times."""
        try:
            delay = self.delay * self.multiplier**retries
        except OverflowError:
            delay = _LONGEST
        delay += delay * self.jitter * (2 * luck - 1)
        delay = min(delay, self.max_delay or _LONGEST, _LONGEST)
        return math.ceil(round(delay * 1000, 6)) / 1000


def set_aside(envelope: Envelope, error: Exception, transport: str, now: datetime) -> Envelope:
    """Give what goes into the failure transport when ``transport`` gave a message up."""
    aside = _with_error(envelope, error)
    if aside.last(SentToFailureTransport) is None:
        aside = aside.with_(SentToFailureTransport(transport))
    return _redelivered(aside, 0.0, 0, now)


def _retries(envelope: Envelope) -> int:
    last = envelope.last(Redelivery)
    return max(last.retry_count, 0) if last else 0


def _causes(error: Exception) -> list[Exception]:
    return list(error.failures.values()) if isinstance(error, HandlerFailedError) else [error]


def _hopeless(error: Exception) -> bool:
    """Tell whether no handler that failed can succeed later."""
    return all(isinstance(cause, UnrecoverableError | DecodeError) for cause in _causes(error))


def _recoverable(error: Exception) -> RecoverableError | None:
    """Give the failure that asks for another try, the one that asks for the longest wait."""
    asking = [cause for cause in _causes(error) if isinstance(cause, RecoverableError)]
    return max(asking, key=lambda cause: cause.delay or 0.0, default=None)


def _with_error(envelope: Envelope, error: Exception) -> Envelope:
    """Drop what only this process knew, and note who succeeded and what went wrong."""
    clean = envelope.without(Received, ConsumedByWorker, Sent, TransportMessageId)
    if isinstance(error, HandlerFailedError):
        known = {stamp.handler for stamp in clean.all(Handled)}
        clean = clean.with_(*(Handled(name) for name in error.handled if name not in known))
    details = ErrorDetails.of(error)
    if details.same_as(clean.last(ErrorDetails)):
        return clean
    return _limited(clean, details)


def _redelivered(envelope: Envelope, delay: float, count: int, now: datetime) -> Envelope:
    return _limited(_limited(envelope, Delay(delay)), Redelivery(count, now))


def _limited(envelope: Envelope, stamp: Stamp) -> Envelope:
    """Add ``stamp``; of a long history the first and the newest stay."""
    history = envelope.all(type(stamp))
    if len(history) < HISTORY:
        return envelope.with_(stamp)
    kept = (history[0], *history[-(HISTORY - 2) :])
    return envelope.without(type(stamp)).with_(*kept, stamp)
