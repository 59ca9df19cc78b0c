from __future__ import annotations

import pytest
from workers.worker.limits import Count, Limits, resident_memory


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("limits", "received", "failed", "passed", "said"),
    [
        (Limits(), 10**6, 10**6, 1e9, None),
        (Limits(messages=3), 2, 2, 0, None),
        (Limits(messages=3), 3, 0, 0, "due to maximum count of 3 messages processed"),
        (Limits(failures=2), 9, 1, 0, None),
        (Limits(failures=2), 9, 2, 0, "due to limit of 2 failed message(s) is reached"),
        (Limits(seconds=1.5), 0, 0, 1.4, None),
        (Limits(seconds=1.5), 0, 0, 1.5, "due to time limit of 1.5s exceeded"),
        (Limits(seconds=1e6), 0, 0, 1e6, "due to time limit of 1000000s exceeded"),
    ],
)
def test_a_limit_is_reached_when_it_is(
    limits: Limits, received: int, failed: int, passed: float, said: str | None
) -> None:
    clock = Clock()
    count = Count(limits, clock)

    count.received, count.failed, clock.now = received, failed, 100.0 + passed

    reached = count.reached()
    assert reached == (said and f"Worker stopped {said}")


def test_no_more_is_taken_than_may_be_handled() -> None:
    count = Count(Limits(messages=10), Clock())
    count.received = 7

    assert (count.room(2), count.room(500)) == (2, 3)
    assert Count(Limits(), Clock()).room(500) == 500


def test_the_time_left_ends_at_zero() -> None:
    clock = Clock()
    count = Count(Limits(seconds=3), clock)
    clock.now += 1
    assert count.seconds_left() == 2
    clock.now += 5
    assert count.seconds_left() == 0
    assert Count(Limits(), clock).seconds_left() is None


@pytest.mark.parametrize(("used", "stops"), [(100, False), (101, True)])
def test_memory_stops_it_only_above_the_limit(used: int, stops: bool) -> None:
    count = Count(Limits(memory_bytes=100), Clock(), lambda: used)

    assert (count.memory_reached() is not None) == stops


def test_memory_is_that_of_this_process() -> None:
    assert 5_000_000 < resident_memory() < 5_000_000_000
    assert Count(Limits(memory_bytes=1), Clock()).memory_reached() is not None
