"""Every transport that can be tried here, each made the same way for the contract suite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from workers.transports.base import Transport
from workers.transports.memory import MemoryTransport
from workers.transports.sqlite import SqliteTransport

from tests.support.messages import serializer


@dataclass
class House:
    """One store; ``now`` is its clock until ``real_time`` is set."""

    kind: str
    directory: Path
    now: float = 1_800_000_000.0
    opened: list[Transport] = field(default_factory=list)

    def transport(self, name: str = "async", *, real_time: bool = False) -> Transport:
        """Make a transport; in a store that outlives processes, equal names share a queue."""
        made = MAKERS[self.kind](self, name, None if real_time else lambda: self.now)
        self.opened.append(made)
        return made

    def close(self) -> None:
        for transport in self.opened:
            transport.close()


Maker = Callable[[House, str, Callable[[], float] | None], Transport]


def _memory(_: House, name: str, clock: Callable[[], float] | None) -> Transport:
    return MemoryTransport(name, serializer(), **({"clock": clock} if clock else {}))


def _sqlite(house: House, name: str, clock: Callable[[], float] | None) -> Transport:
    path = house.directory / "messages.db"
    options = {"queue_name": name}
    return SqliteTransport(name, path, serializer(), options, **({"clock": clock} if clock else {}))


MAKERS: dict[str, Maker] = {"in-memory": _memory, "sqlite": _sqlite}
