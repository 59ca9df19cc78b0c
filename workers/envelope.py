"""A message and what is known about it: an immutable value with ordered stamps.

Pure. Facts are never changed, only added; the last stamp of a type is the one
that counts, the earlier ones are its history.
Source of the rules: Symfony Messenger 7.2, ``Envelope``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar


class Stamp:
    """One fact about a message; what it says is in the classes of ``stamps``."""

    __slots__ = ()


StampT = TypeVar("StampT", bound=Stamp)


@dataclass(frozen=True, slots=True)
class Envelope:
    """``message`` with its ``stamps`` in the order in which they were added."""

    message: object
    stamps: tuple[Stamp, ...] = ()

    @classmethod
    def wrap(cls, message: object, *stamps: Stamp) -> Envelope:
        """Give an envelope as it is, and anything else in a new one; both with ``stamps``."""
        if isinstance(message, Envelope):
            return message.with_(*stamps)
        return cls(message, stamps)

    def with_(self, *stamps: Stamp) -> Envelope:
        """Add ``stamps`` behind those that are there."""
        return Envelope(self.message, self.stamps + stamps) if stamps else self

    def without(self, *kinds: type[Stamp]) -> Envelope:
        """Take away every stamp of ``kinds``, children included."""
        kept = tuple(stamp for stamp in self.stamps if not isinstance(stamp, kinds))
        return self if len(kept) == len(self.stamps) else Envelope(self.message, kept)

    def last(self, kind: type[StampT]) -> StampT | None:
        """Give the newest stamp of ``kind``, or None."""
        for stamp in reversed(self.stamps):
            if isinstance(stamp, kind):
                return stamp
        return None

    def all(self, kind: type[StampT]) -> tuple[StampT, ...]:
        """Give every stamp of ``kind``, the oldest first."""
        return tuple(stamp for stamp in self.stamps if isinstance(stamp, kind))
