"""``sync://``: keeps nothing; what is sent to it is handled before ``send`` returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workers.envelope import Envelope
from workers.errors import TransportError
from workers.stamps import Received
from workers.transports.base import Sender, Stats

OPTIONS: frozenset[str] = frozenset()


class SyncTransport:
    """Hands every message back to the bus as if it had been received."""

    place = "nowhere: handled at once"

    def __init__(self, name: str, dispatch: Callable[[Envelope], Envelope]) -> None:
        self.name = name
        self._dispatch = dispatch

    def send(self, envelope: Envelope) -> Envelope:
        """Handle it here and now; raises what the handlers raise."""
        return self._dispatch(envelope.with_(Received(self.name)))

    def consume_as(self, holder: str) -> None:
        """Do nothing: nobody holds what is never kept."""

    def get(self, limit: int, wait: float) -> Sequence[Envelope]:  # noqa: ARG002 - the Protocol's
        """Refuse: nothing ever waits here.

        Raises:
            TransportError: always.
        """
        raise TransportError(
            f'transport "{self.name}" is sync://: what is sent to it is handled at once, and '
            "there is nothing to consume"
        )

    def ack(self, *envelopes: Envelope) -> None:
        """Do nothing: it was never kept."""

    def reject(self, *envelopes: Envelope) -> None:
        """Do nothing: it was never kept."""

    def release(self, *envelopes: Envelope) -> None:
        """Do nothing: it was never kept."""

    def replace(
        self,
        envelope: Envelope,  # noqa: ARG002 - the Protocol's
        again: Envelope,
        to: Sender | None = None,
    ) -> Envelope:
        """Send ``again``; there is nothing to forget."""
        return (to or self).send(again)

    def interrupt(self) -> None:
        """Do nothing: nobody waits."""

    def count(self) -> int:
        return 0

    def stats(self) -> Stats:
        return Stats(0)

    def setup(self) -> None:
        """Do nothing: there is no store."""

    def close(self) -> None:
        """Do nothing: there is no store."""
