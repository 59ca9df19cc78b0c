"""Every error of the bus and its workers, and who acts on which.

    WorkersError
    ├── ConfigError          messenger.toml or a command line that cannot be used
    ├── TransportError       a queue that cannot be reached, opened or written
    │   └── NotConfiguredError   its DSN needs an environment variable that is not set
    ├── MessageError         a class that cannot be a message, with the reason
    │   └── EncodeError      a message whose values cannot be written
    ├── DecodeError          bytes that cannot become a message: set aside, never retried
    ├── NoHandlerError       a message that nobody handles
    ├── HandlerFailedError   one or more handlers raised; all of them are kept
    ├── UnrecoverableError   raised by handlers: do not try again
    └── RecoverableError     raised by handlers: always try again

A class is here because somebody acts on it differently. What a handler raises
is its own business: only the last two change what the retry policy does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence


class WorkersError(Exception):
    """What this package raises on purpose; everything else is a bug."""


class ConfigError(WorkersError):
    """One or more problems of a configuration, each a line in the user's words."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class TransportError(WorkersError):
    """A queue that cannot be reached, opened, read or written; the text names it."""


class NotConfiguredError(TransportError):
    """A transport whose DSN cannot be completed: an environment variable is not set."""


class MessageError(WorkersError):
    """A class or an object that cannot be a message; the text says why."""


class EncodeError(MessageError):
    """A message that cannot be written as JSON; nothing was sent."""


class DecodeError(WorkersError):
    """Bytes that cannot become a message: another try would end the same way."""


class NoHandlerError(WorkersError):
    """A message that is neither routed to a transport nor handled by anybody."""


class HandlerFailedError(WorkersError):
    """Handlers raised; ``failures`` has every one of them by handler name, at least one.

    ``handled`` names those that succeeded: a retry must not call them again.
    """

    def __init__(
        self, type_name: str, failures: Mapping[str, Exception], handled: Sequence[str] = ()
    ) -> None:
        first = next(iter(failures.values()))
        text = str(first) or type(first).__name__
        super().__init__(
            f'Handling "{type_name}" failed: {text}'
            if len(failures) == 1
            else f"{len(failures)} handlers failed. First failure is: {text}"
        )
        self.failures = dict(failures)
        self.handled = tuple(handled)

    @property
    def first(self) -> Exception:
        """The first failure: the one that error details are made of."""
        return next(iter(self.failures.values()))


class UnrecoverableError(WorkersError):
    """Raise it, or a child of it, in a handler when no later try can succeed."""


class RecoverableError(WorkersError):
    """Raise it, or a child of it, in a handler to be tried again without limit.

    ``delay`` is in seconds; None leaves it to the transport's retry policy.
    """

    def __init__(self, *args: object, delay: float | None = None) -> None:
        super().__init__(*args)
        self.delay = delay


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ``; did you mean "x"?`` when one of ``known`` is close to ``word``, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
