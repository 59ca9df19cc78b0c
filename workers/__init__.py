"""A message bus and its queue consumers: the Python equal of Symfony Messenger.

What an application needs: ``handles`` marks a handler, ``as_message`` names a
message on the wire, ``load`` reads messenger.toml, and a handler raises
``UnrecoverableError`` or ``RecoverableError`` to decide about its own retry.
"""

from workers.app import App, load
from workers.envelope import Envelope
from workers.errors import (
    HandlerFailedError,
    RecoverableError,
    UnrecoverableError,
    WorkersError,
)
from workers.handlers import handles
from workers.message import as_message

__all__ = [
    "App",
    "Envelope",
    "HandlerFailedError",
    "RecoverableError",
    "UnrecoverableError",
    "WorkersError",
    "as_message",
    "handles",
    "load",
]
