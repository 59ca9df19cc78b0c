from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from workers.worker.pace import SLICE, Pace


def test_it_starts_with_one() -> None:
    assert Pace().batch == 1


@pytest.mark.parametrize(
    ("seconds_each", "settled"), [(1e-5, 1000), (1e-4, 500), (0.001, 50), (0.02, 2), (0.04, 1)]
)
def test_a_batch_becomes_what_is_done_in_the_slice(seconds_each: float, settled: int) -> None:
    pace = Pace()

    for _ in range(20):
        pace.learn(pace.batch, pace.batch * seconds_each, seconds_each)

    assert pace.batch == pytest.approx(settled, abs=1)


def test_one_slow_message_and_the_next_is_alone() -> None:
    pace = Pace()
    for _ in range(20):
        pace.learn(pace.batch, pace.batch * 1e-5, 1e-5)

    pace.learn(1000, 0.2, SLICE)

    assert pace.batch == 1


@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 100), st.floats(0, 100))))
def test_it_never_grows_by_more_than_four_and_stays_in_bounds(
    history: list[tuple[int, float, float]],
) -> None:
    pace = Pace()
    for count, seconds, slowest in history:
        before = pace.batch

        pace.learn(count, seconds, slowest)

        assert 1 <= pace.batch <= min(1000, before * 4)
