"""Calls the handlers of a message: every one, whatever the others do.

Source of the rules: Symfony Messenger 7.2, ``HandleMessageMiddleware`` and
``FailedMessageProcessingMiddleware``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from workers.envelope import Envelope
from workers.errors import DecodeError, HandlerFailedError, NoHandlerError, WorkersError
from workers.handlers import Handler, Handlers
from workers.message import Undecodable, label
from workers.middleware.base import Next
from workers.stamps import Handled, Received, SentToFailureTransport


class Handle:
    """Keeps one event loop for async handlers, from the first of them until ``close``."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._runner: asyncio.Runner | None = None

    def __call__(self, envelope: Envelope, following: Next) -> Envelope:
        """Call each handler that has not handled this message yet.

        Raises:
            DecodeError: there is no message in the envelope.
            NoHandlerError: nobody handles this class.
            HandlerFailedError: one or more raised; the others were called all the same.
        """
        message = envelope.message
        if isinstance(message, Undecodable):
            raise DecodeError(message.reason)
        serving = _for_transport(self._handlers.serving(type(message)), envelope)
        if not serving:
            received = envelope.last(Received) is not None
            unsent = "" if received else ", and no rule of [routing] sends it anywhere"
            raise NoHandlerError(f"No handler for message {label(envelope)}{unsent}")
        done = {stamp.handler for stamp in envelope.stamps if isinstance(stamp, Handled)}
        handled, failures = self._call_each(
            [one for one in serving if one.name not in done], message
        )
        if failures:
            names = [stamp.handler for stamp in handled]
            raise HandlerFailedError(label(envelope), failures, names)
        return following(envelope.with_(*handled))

    def close(self) -> None:
        """End the event loop of the async handlers, if there is one."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()

    def _call_each(
        self, handlers: Sequence[Handler], message: object
    ) -> tuple[list[Handled], dict[str, Exception]]:
        handled: list[Handled] = []
        failures: dict[str, Exception] = {}
        for handler in handlers:
            try:
                handled.append(Handled(handler.name, self._call(handler, message)))
            except Exception as error:  # noqa: BLE001 - the border of one handler: all are reported
                failures[handler.name] = error
        return handled, failures

    def _call(self, handler: Handler, message: object) -> object:
        """Call it; one that leaves by ``sys.exit`` or is cancelled has failed, no more."""
        try:
            return self._run(handler, message) if handler.is_async else handler.call(message)
        except (SystemExit, asyncio.CancelledError) as error:
            how = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise WorkersError(f"it ended with {how}") from error

    def _run(self, handler: Handler, message: object) -> object:
        if _loop_is_running():
            raise WorkersError(
                "it is async, and an event loop is running in this thread already; route the "
                "message to a transport, or dispatch it from a thread (asyncio.to_thread)"
            )
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(handler.call(message))


def _for_transport(handlers: Sequence[Handler], envelope: Envelope) -> Sequence[Handler]:
    """Leave out those that want other transports; a message dispatched here has none."""
    if not any(one.from_transport for one in handlers):
        return handlers
    failed = envelope.last(SentToFailureTransport)
    received = envelope.last(Received)
    if received is None:
        return handlers
    origin = failed.original if failed else received.transport
    return [one for one in handlers if one.from_transport in (None, origin)]


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
