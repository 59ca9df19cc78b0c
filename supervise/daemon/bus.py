"""Who wants to know what happens: publish, subscribe, and wait for one process.

A subscriber is called at once, in the loop, in the order of subscription; one that fails
is logged and costs nobody else anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from supervise.core.machine import Announce
from supervise.core.spec import ProcessSpec

Subscriber = Callable[[ProcessSpec, Announce], None]


class Complain(Protocol):
    def critical(self, text: str) -> None:
        """Say that something of ours is broken."""
        ...


class Bus:
    """Carries every change of state to everybody who asked."""

    def __init__(self, log: Complain) -> None:
        self._log = log
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` for each change from now on; give what ends that."""
        self._subscribers.append(subscriber)
        return lambda: self._unsubscribe(subscriber)

    def _unsubscribe(self, subscriber: Subscriber) -> None:
        if subscriber in self._subscribers:
            self._subscribers.remove(subscriber)

    def publish(self, spec: ProcessSpec, change: Announce) -> None:
        """Tell everybody that the process of ``spec`` left a state for another."""
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(spec, change)
            except Exception as error:  # noqa: BLE001 - one subscriber is a border
                self._log.critical(f"a subscriber failed on {spec.group}:{spec.name}: {error!r}")
