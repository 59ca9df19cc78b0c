"""The bus: a message goes in, passes every middleware, and comes out with what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from workers.envelope import Envelope, Stamp
from workers.middleware.base import Middleware, Next, chain
from workers.stamps import Delay


class Bus:
    """One chain of middleware, built at the first dispatch."""

    def __init__(self, steps: Callable[[], Sequence[Middleware]]) -> None:
        self._steps = steps
        self._first: Next | None = None

    def dispatch(
        self, message: object, stamps: Iterable[Stamp] = (), *, delay: float | None = None
    ) -> Envelope:
        """Send ``message`` where it is routed to, or handle it here and now.

        ``message`` may be an ``Envelope``. ``delay`` is in seconds, for transports
        that keep messages. The envelope that comes back has ``Sent`` and
        ``TransportMessageId``, or ``Handled`` with the result of each handler.

        Raises:
            MessageError, EncodeError: it cannot be sent; nothing was.
            TransportError: a transport could not take it.
            NoHandlerError, HandlerFailedError: it was to be handled here, and was not.
        """
        envelope = message if isinstance(message, Envelope) else Envelope(message)
        if stamps:
            envelope = envelope.with_(*stamps)
        if delay is not None:
            envelope = envelope.with_(Delay(delay))
        if self._first is None:
            self._first = chain(self._steps())
        return self._first(envelope)
