"""Tells the log what became of a message. Source of the texts: Symfony Messenger 7.2."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from workers.envelope import Envelope
from workers.errors import HandlerFailedError
from workers.message import label
from workers.middleware.base import Next
from workers.stamps import Handled, Received, Sent, TransportMessageId

logger = logging.getLogger("messenger")


class Log:
    def __call__(self, envelope: Envelope, following: Next) -> Envelope:
        if not logger.isEnabledFor(logging.INFO):
            return following(envelope)
        name = label(envelope)
        received = envelope.last(Received)
        if received is not None:
            identity = envelope.last(TransportMessageId)
            place = (received.transport, identity.id if identity else "-")
            logger.info("Received message %s transport=%s id=%s", name, *place)
        try:
            done = following(envelope)
        except HandlerFailedError as error:
            _say_handled(name, error.handled)
            raise
        new = done.stamps[len(envelope.stamps) :]
        _say_handled(name, (stamp.handler for stamp in new if isinstance(stamp, Handled)))
        for stamp in new:
            if isinstance(stamp, Sent):
                text = "Sending message %s with %s sender using %s"
                logger.info(text, name, stamp.transport, stamp.sender)
        return done


def _say_handled(name: str, handlers: Iterable[str]) -> None:
    for handler in handlers:
        logger.info("Message %s handled by %s", name, handler)
