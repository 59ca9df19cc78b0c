"""What becomes of a message whose handling failed: another try, or the failure transport.

The decision is ``retry``'s; here it is carried out, copy first, original second, in
one transaction where the stores allow. Nothing is removed because it failed: without
a failure transport a message that was given up stays in its own queue, marked, and is
tried again once an hour.
Source of the texts: Symfony Messenger 7.2, ``SendFailedMessageForRetryListener``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from workers.envelope import Envelope
from workers.errors import WorkersError
from workers.message import label
from workers.retry import RetryPolicy, set_aside
from workers.stamps import Delay, Redelivery
from workers.transports.base import Receiver, Sender

logger = logging.getLogger("messenger")

_REST: Final = 3600.0  # seconds between two tries of what has no failure transport to go to


class Settler:
    """Settles the failures of one receiver. ``luck`` gives a number in 0..1."""

    def __init__(
        self,
        receiver: Receiver,
        policy: RetryPolicy,
        failed: Sender | None,
        *,
        luck: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._receiver = receiver
        self._policy = policy
        self._failed = failed
        self._luck = luck
        self._now = now

    def settle(self, envelope: Envelope, error: Exception) -> None:
        """Send the message again or set it aside, and remove the original.

        Raises:
            EncodeError, TransportError: nothing was done; the message is still in hand.
        """
        again = self._policy.next_try(envelope, error, self._luck(), self._now())
        if again is not None:
            self._retry(envelope, again, error)
        else:
            self._give_up(envelope, error)

    def _retry(self, envelope: Envelope, again: Envelope, error: Exception) -> None:
        self._receiver.replace(envelope, again)
        delay, redelivery = again.last(Delay), again.last(Redelivery)
        logger.warning(
            "Error thrown while handling message %s. Sending for retry #%d using %d ms delay."
            ' Error: "%s"',
            label(envelope),
            redelivery.retry_count if redelivery else 1,
            round(delay.seconds * 1000) if delay else 0,
            error,
            exc_info=_trace_of(error),
        )

    def _give_up(self, envelope: Envelope, error: Exception) -> None:
        last = envelope.last(Redelivery)
        aside = set_aside(envelope, error, self._receiver.name, self._now())
        place = self._put_aside(envelope, aside)
        logger.critical(
            "Error thrown while handling message %s. Removing from transport after %d retries."
            ' Error: "%s"',
            label(envelope),
            last.retry_count if last else 0,
            error,
            exc_info=_trace_of(error),
        )
        if place is None:
            text = "message %s stays in %s and is tried again in an hour"
            logger.critical(text, label(envelope), self._receiver.name)
        else:
            text = "Rejected message %s will be sent to the failure transport %s."
            logger.info(text, label(envelope), place)

    def _put_aside(self, envelope: Envelope, aside: Envelope) -> str | None:
        """Move the message to the failure transport, or let it rest where it is (None)."""
        if self._failed is not None:
            try:
                self._receiver.replace(envelope, aside, self._failed)
            except WorkersError as trouble:
                logger.critical("the failure transport cannot take it: %s", trouble)
            else:
                return self._failed.name
        self._receiver.replace(envelope, aside.without(Delay).with_(Delay(_REST)))
        return None


def _trace_of(error: Exception) -> Exception | None:
    """The traceback belongs into a debug log; elsewhere the line says enough."""
    return error if logger.isEnabledFor(logging.DEBUG) else None
