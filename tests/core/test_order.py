"""Who starts first and who stops last."""

from __future__ import annotations

from hypothesis import given, strategies as st

from supervise.core.order import start_order, stop_lanes
from supervise.core.spec import GroupSpec, ProcessSpec


def group(name: str, priority: int, *members: tuple[str, int]) -> GroupSpec:
    processes = tuple(
        ProcessSpec(member, name, member, "true", priority=own) for member, own in members
    )
    return GroupSpec(name, priority, processes)


def test_lower_numbers_start_first_by_group_and_then_by_member() -> None:
    late = group("late", 20, ("x", 5), ("y", 1))
    early = group("early", 10, ("z", 99))

    assert [process.name for process in start_order([late, early])] == ["z", "y", "x"]


def test_groups_of_one_priority_start_by_name() -> None:
    groups = [group(name, 999, (name, 999)) for name in ("b", "c", "a")]

    assert [process.name for process in start_order(groups)] == ["a", "b", "c"]


def test_members_of_one_priority_start_in_the_order_of_the_file() -> None:
    numbered = group("g", 999, ("g_2", 999), ("g_10", 999), ("g_1", 999))

    assert [process.name for process in start_order([numbered])] == ["g_2", "g_10", "g_1"]


def test_higher_numbers_stop_first_and_equals_together() -> None:
    groups = [group("a", 1), group("b", 3), group("c", 2), group("d", 3)]

    lanes = [[each.name for each in lane] for lane in stop_lanes(groups)]

    assert lanes == [["b", "d"], ["c"], ["a"]]


def test_nothing_has_no_order_and_no_lanes() -> None:
    assert start_order([]) == []
    assert stop_lanes([]) == []


GROUPS = st.lists(
    st.builds(
        group,
        st.uuids().map(str),
        st.integers(-3, 3),
        st.tuples(st.just("p"), st.integers(-3, 3)),
        st.tuples(st.just("q"), st.integers(-3, 3)),
    )
)


@given(GROUPS)
def test_everybody_starts_and_stops_exactly_once(groups: list[GroupSpec]) -> None:
    started = start_order(groups)
    stopped = [each for lane in stop_lanes(groups) for each in lane]

    assert sorted(map(repr, started)) == sorted(
        repr(process) for each in groups for process in each.processes
    )
    assert sorted(map(repr, stopped)) == sorted(map(repr, groups))


@given(GROUPS)
def test_a_lane_has_one_priority_and_the_next_a_lower_one(groups: list[GroupSpec]) -> None:
    lanes = [{each.priority for each in lane} for lane in stop_lanes(groups)]

    assert all(len(lane) == 1 for lane in lanes)
    priorities = [priority for lane in lanes for priority in lane]
    assert priorities == sorted(set(priorities), reverse=True)
