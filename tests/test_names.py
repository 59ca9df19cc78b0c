"""What people type, and which processes they mean by it."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from supervise.names import ProcessName, Selector, parse, perhaps, select

NAMES = [
    ProcessName("cat", "cat"),
    ProcessName("messenger-consume", "messenger-consume_00"),
    ProcessName("messenger-consume", "messenger-consume_01"),
    ProcessName("site", "web"),
    ProcessName("web", "web"),
    ProcessName("worker-a", "worker-a_00"),
    ProcessName("worker-b", "x"),
]
EVERY = [str(name) for name in NAMES]
CONSUMERS = ["messenger-consume:messenger-consume_00", "messenger-consume:messenger-consume_01"]


@pytest.mark.parametrize(
    ("text", "group", "process"),
    [
        ("web", "web", "web"),
        ("site:web", "site", "web"),
        ("site:*", "site", None),
        ("site:", "site", None),
        ("a:b:c", "a", "b:c"),
        (":x", "", "x"),
        (":", "", None),
        (":*", "", None),
        ("", "", ""),
        ("site:w*", "site", "w*"),
        ("*", "*", "*"),
        ("*:*", "*", None),
    ],
)
def test_a_name_is_taken_apart_at_its_first_colon(
    text: str, group: str, process: str | None
) -> None:
    assert parse(text) == Selector(text, group, process)
    assert parse(text).whole_group is (process is None)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("web", False),
        ("site:*", False),
        ("site:", False),
        ("all", False),
        ("w*", True),
        ("web?", True),
        ("web_0[12]", True),
        ("si*:web", True),
        ("site:w*", True),
        ("si*:", True),
    ],
)
def test_a_star_behind_the_colon_is_a_whole_group_and_elsewhere_a_pattern(
    text: str, pattern: bool
) -> None:
    assert parse(text).is_pattern is pattern


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("all", EVERY),
        ("cat", ["cat"]),
        ("web", ["web"]),
        ("site:web", ["site:web"]),
        ("web:web", ["web"]),
        ("messenger-consume:*", CONSUMERS),
        ("messenger-consume:", CONSUMERS),
        ("messenger-consume", []),  # as supervisorctl: a group is not a process
        ("messenger-consume_00", []),
        ("messenger-consume:messenger-consume_01", CONSUMERS[1:]),
        ("site:*", ["site:web"]),
        ("nobody", []),
        ("nobody:*", []),
        ("site:nobody", []),
        ("", []),
        (":", []),
        (":*", []),
        ("CAT", []),
        ("ALL", []),
        ("messenger-*", CONSUMERS),
        ("messenger-consume_0?", CONSUMERS),
        ("messenger-consume_0[1-9]", CONSUMERS[1:]),
        ("messenger-consume_0[!1]", CONSUMERS[:1]),
        ("worker-?", ["worker-a:worker-a_00", "worker-b:x"]),
        ("w*", ["site:web", "web", "worker-a:worker-a_00", "worker-b:x"]),
        ("*", EVERY),
        ("*:*", EVERY),
        ("*:web", ["site:web", "web"]),
        ("w*:*", ["web", "worker-a:worker-a_00", "worker-b:x"]),
        ("w*:", ["web", "worker-a:worker-a_00", "worker-b:x"]),
        ("worker-*:x", ["worker-b:x"]),
        ("W*", []),
        ("[", []),
        ("[z-a]", []),
        ("zzz*", []),
    ],
)
def test_what_a_name_selects(text: str, wanted: list[str]) -> None:
    assert [str(name) for name in select(text, NAMES)] == wanted


def test_a_pattern_may_be_matched_against_the_whole_printed_name() -> None:
    names = [ProcessName("g", "p[1]"), ProcessName("g", "q")]

    assert select("g?q", names) == names[1:]


def test_a_name_that_looks_like_a_pattern_means_itself_first() -> None:
    odd = [ProcessName("web[1]", "web[1]"), ProcessName("web1", "web1"), ProcessName("g", "a*")]

    assert select("web[1]", odd) == odd[:1]
    assert select("web[1]:*", odd) == odd[:1]
    assert select("g:a*", [*odd, ProcessName("g", "abc")]) == odd[2:]


def test_names_are_ordered_by_group_and_then_by_process() -> None:
    assert sorted([ProcessName("b", "a"), ProcessName("a", "z"), ProcessName("a", "b")]) == [
        ProcessName("a", "b"),
        ProcessName("a", "z"),
        ProcessName("b", "a"),
    ]


WORDS = st.text(st.characters(exclude_characters=" :/", exclude_categories=["Cs"]), min_size=1)
ANY_NAMES = st.lists(st.builds(ProcessName, WORDS, WORDS), unique=True)


@given(ANY_NAMES)
def test_every_name_that_is_printed_selects_its_process(names: list[ProcessName]) -> None:
    for name in names:
        if str(name) != "all" and name.process != "*":
            assert select(str(name), names) == [name]
            assert select(f"{name.group}:{name.process}", names) == [name]


@given(ANY_NAMES)
def test_every_group_is_selected_by_its_name_and_a_star(names: list[ProcessName]) -> None:
    for name in names:
        members = [it for it in names if it.group == name.group]
        assert select(f"{name.group}:*", names) == members
        assert select(f"{name.group}:", names) == members


@given(st.text(), ANY_NAMES)
def test_nothing_that_is_typed_fails_or_invents_a_name(text: str, names: list[ProcessName]) -> None:
    chosen = select(text, iter(names))

    assert chosen == [name for name in names if name in chosen]
    assert parse(text).text == text


@given(ANY_NAMES)
def test_all_and_a_star_are_everybody(names: list[ProcessName]) -> None:
    assert select("all", names) == names
    if ProcessName("*", "*") not in names:
        assert select("*", names) == names


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("worker", "worker:*"),  # a group without its star
        ("worker_01", "worker:worker_01"),  # a process without its group
        ("same", ""),  # in two groups: which?
        ("nothing", ""),
        ("worker:nothing", ""),
    ],
)
def test_a_name_that_means_nothing_may_have_meant_another(text: str, meant: str) -> None:
    known = [
        ProcessName("worker", "worker_00"),
        ProcessName("worker", "worker_01"),
        ProcessName("a", "same"),
        ProcessName("b", "same"),
    ]

    assert perhaps(text, known) == meant
