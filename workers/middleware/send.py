"""Gives a message to the transports it is routed to; without a route it goes on to be handled."""

from __future__ import annotations

from collections.abc import Mapping

from workers.envelope import Envelope
from workers.message import lineage
from workers.middleware.base import Next
from workers.routing import Routing, asked_for
from workers.stamps import Received, Sent
from workers.transports.base import Sender


class Send:
    def __init__(self, routing: Routing, senders: Mapping[str, Sender]) -> None:
        self._routing = routing
        self._senders = senders
        self._by_class: dict[type, tuple[str, ...]] = {}

    def __call__(self, envelope: Envelope, following: Next) -> Envelope:
        """Send, unless the message was received: then it is here to be handled.

        A message that is sent anywhere is not handled here.

        Raises:
            MessageError: its class cannot be a message.
            TransportError: a transport could not store it; those before it have it.
        """
        if envelope.last(Received) is not None:
            return following(envelope)
        names = self._names(type(envelope.message))
        asked = asked_for(envelope)
        names = names if asked is None else asked
        if not names:
            return following(envelope)
        for name in names:
            sender = self._senders[name]
            envelope = sender.send(envelope).with_(Sent(name, type(sender).__name__))
        return envelope

    def _names(self, kind: type) -> tuple[str, ...]:
        names = self._by_class.get(kind)
        if names is None:
            names = self._by_class[kind] = self._routing.transports(lineage(kind))
        return names
