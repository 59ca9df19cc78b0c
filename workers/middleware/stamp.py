"""Names the bus on every message that does not name one yet."""

from __future__ import annotations

from workers.envelope import Envelope
from workers.middleware.base import Next
from workers.stamps import BusName


class AddBusName:
    def __init__(self, name: str) -> None:
        self._stamp = BusName(name)

    def __call__(self, envelope: Envelope, following: Next) -> Envelope:
        if envelope.last(BusName) is None:
            envelope = envelope.with_(self._stamp)
        return following(envelope)
