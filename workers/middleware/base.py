"""What a middleware is, and how several become one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from workers.envelope import Envelope

Next = Callable[[Envelope], Envelope]


class Middleware(Protocol):
    def __call__(self, envelope: Envelope, following: Next) -> Envelope:
        """Do one step: look at ``envelope``, give it (or another) to ``following``.

        Not calling ``following`` ends the dispatch here; what is returned is what
        the caller of ``dispatch`` gets. Exceptions go up through every step.
        """
        ...


def chain(steps: Sequence[Middleware]) -> Next:
    """Make one function of ``steps``, the first one outermost."""
    following: Next = _end
    for step in reversed(steps):
        following = partial(step, following=following)
    return following


def _end(envelope: Envelope) -> Envelope:
    return envelope
