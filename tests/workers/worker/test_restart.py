"""The wish to stop against clocks that differ, are set, and stores that go away."""

from __future__ import annotations

import pytest
from workers.errors import TransportError
from workers.worker.restart import RestartWish

STARTED, NOW = 100.0, 102.0


class Store:
    """A flag set by hand; ``broken`` is a store that cannot be read."""

    def __init__(self, at: float | None = None, *, broken: bool = False) -> None:
        self.at = at
        self.broken = broken

    def request_restart(self, now: float) -> None:
        self.at = now

    def restart_requested_at(self) -> float | None:
        if self.broken:
            raise TransportError("away")
        return self.at


def wish(*stores: Store) -> RestartWish:
    return RestartWish(stores, STARTED, lambda: NOW)


@pytest.mark.parametrize(
    ("at", "stops"),
    [
        (None, False),
        (99.0, False),  # meant for those that ran before
        (101.0, True),  # came while this one was starting
        (5000.0, False),  # from a clock that was wrong: it would stop everyone for ever
    ],
)
def test_what_is_there_at_the_first_look_counts_by_its_time(at: float | None, stops: bool) -> None:
    assert wish(Store(at)).is_there() is stops


@pytest.mark.parametrize("before", [None, 99.0, 5000.0])
@pytest.mark.parametrize("after", [50.0, 101.0, 6000.0])
def test_what_changes_later_counts_whatever_the_clock_says(
    before: float | None, after: float
) -> None:
    store = Store(before)
    watching = wish(store)
    assert not watching.is_there()

    store.request_restart(after)

    assert watching.is_there()


def test_a_flag_that_disappears_is_no_wish() -> None:
    store = Store(99.0)
    watching = wish(store)
    watching.is_there()

    store.at = None

    assert not watching.is_there()


def test_a_store_that_cannot_be_read_hides_no_other_and_is_heard_later() -> None:
    away, here = Store(broken=True), Store()
    watching = wish(away, here)
    assert not watching.is_there()

    here.request_restart(101.0)
    assert watching.is_there()

    here.at, away.broken, away.at = None, False, 101.0
    assert watching.is_there()
