"""What a transport is: the contract, in the docstrings. One test suite checks it on every one.

A transport is opened on first use, by whichever method is called first, and
every method raises ``TransportError`` with its name in the text when its store
cannot be used. It belongs to one thread, except for ``send`` and ``interrupt``, and
for ``ack`` and ``release``, which another thread may call while a handler runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from workers.envelope import Envelope
from workers.stamps import TransportMessageId


@dataclass(frozen=True, slots=True)
class Stats:
    """How many messages a transport holds, by what they wait for."""

    ready: int
    """due, and nobody has them"""
    delayed: int = 0
    """not yet due"""
    in_hand: int = 0
    """leased by a worker that lives, or may live"""
    abandoned: int = 0
    """leased by a worker that is proven dead; they return when their lease ends"""


class Sender(Protocol):
    """The writing half: all that a dispatching process needs."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    def send(self, envelope: Envelope) -> Envelope:
        """Store ``envelope`` for good; give it back with its ``TransportMessageId``.

        When this returns the message is as safe as the store makes it. A ``Delay``
        stamp (the last one) is obeyed, to the store's own resolution, never early.

        Raises:
            EncodeError: the message cannot be written; nothing was stored.
            TransportError: the store cannot be used; nothing was stored.
        """
        ...


class Receiver(Protocol):
    """The reading half.

    Every envelope that ``get`` gives is settled once, by exactly one of ``ack``,
    ``reject``, ``replace`` and ``release``.
    """

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    def consume_as(self, holder: str) -> None:
        """Take messages under the name ``holder`` from now on.

        What a dead process of this name held is taken up again at once, and given
        by ``get`` before anything else. Call it before the first ``get``; a
        transport whose messages die with the process may ignore it.
        """
        ...

    def get(self, limit: int, wait: float) -> Sequence[Envelope]:
        """Lease up to ``limit`` (1 or more) due envelopes, waiting ``wait`` seconds at most.

        It waits only for the first one, and gives them in the order in which they fell
        due. What is leased is hidden from other
        workers until it is settled or its lease ends, after which it is delivered
        again: at least once, never "exactly once". Each envelope carries a
        ``TransportMessageId``. What cannot be decoded comes as an envelope around
        ``message.Undecodable``, with its raw bytes and the reason: ``get`` never
        raises for what is in the queue, and never skips it. Empty when nothing came
        in time, or when ``interrupt`` was called.

        Raises:
            TransportError: the store cannot be used.
        """
        ...

    def ack(self, *envelopes: Envelope) -> None:
        """Handled: forget them, all in one transaction where the store has those.

        One that is no longer ours (settled before, or its lease ended and another
        worker has it) is left alone; that is not an error.
        """
        ...

    def reject(self, *envelopes: Envelope) -> None:
        """Given up, or sent elsewhere already: forget them. Otherwise as ``ack``."""
        ...

    def release(self, *envelopes: Envelope) -> None:
        """Not begun, or broken off: give them back, due at once and in their old place."""
        ...

    def replace(self, envelope: Envelope, again: Envelope, to: Sender | None = None) -> Envelope:
        """Send ``again`` to ``to`` (default: this transport) and forget ``envelope``.

        One transaction where both live in one store; otherwise the copy is sent
        first, so that a crash in between delivers twice and never loses. If
        ``envelope`` is no longer ours nothing is sent: whoever has it will decide.
        Gives ``again`` with its new ``TransportMessageId``.

        Raises:
            EncodeError, TransportError: nothing was sent and nothing forgotten.
        """
        ...

    def interrupt(self) -> None:
        """Make the ``get`` that waits now, or the next one that would wait, return at once.

        May be called from a signal handler or another thread.
        """
        ...

    def count(self) -> int:
        """How many are ready: what a worker could take now."""
        ...

    def stats(self) -> Stats:
        """How many there are, by what they wait for."""
        ...


class Transport(Sender, Receiver, Protocol):
    """Both halves, and its life."""

    @property
    def place(self) -> str:
        """Where its messages are, for people: an absolute path, a host; never a password."""
        ...

    def setup(self) -> None:
        """Create what it needs in its store; a second time changes nothing."""
        ...

    def close(self) -> None:
        """Let go of its store. May be called twice, and before anything else."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """A receiver that can say when to look again, so that a worker of several waits on all."""

    def wake_fds(self) -> Sequence[int]:
        """Descriptors of which one is readable once something may have arrived.

        Look at the queue after asking for them and before waiting: what came earlier
        is not announced. ``get`` makes them unreadable again.
        """
        ...

    def due_in(self) -> float | None:
        """Seconds until something falls due or a lease ends; None: only a wake-up can change it."""
        ...


@runtime_checkable
class QueueReceiver(Protocol):
    """A receiver that may be told to read other queues of its store than its own."""

    def consume_queues(self, names: Sequence[str]) -> None:
        """Take messages from these queues alone. Call it before the first ``get``."""
        ...


@runtime_checkable
class RestartFlag(Protocol):
    """A store that carries the wish of ``stop-workers`` to everyone who consumes from it."""

    def request_restart(self, now: float) -> None:
        """Ask every worker that started before ``now`` (wall clock) to stop; wake the idle."""
        ...

    def restart_requested_at(self) -> float | None:
        """When it was last asked, or None. Cheap: it is read after every message."""
        ...


def message_id(envelope: Envelope) -> int | str | None:
    """Give the id its transport knows ``envelope`` by, or None before it was sent."""
    stamp = envelope.last(TransportMessageId)
    return stamp.id if stamp else None
