"""What must happen to get from one plan to another: as little as possible."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, strategies as st

from supervise.core.diff import Diff, GroupChange, change, compare, keep, wants_pipe
from supervise.core.spec import (
    AutoRestart,
    FcgiSpec,
    GroupKind,
    GroupSpec,
    ListenerSpec,
    OutputSpec,
    Policy,
    ProcessSpec,
    UserSpec,
)


def web(number: int = 0, group: str = "web") -> ProcessSpec:
    return ProcessSpec(f"web_{number:02}", group, "web", "/bin/web --fast")


def group_of(*processes: ProcessSpec, name: str = "web") -> GroupSpec:
    return GroupSpec(name, processes=processes)


WEB = group_of(web(0), web(1))
NOBODY = UserSpec("nobody", 65534, 65534, ())


def become(**changes: object) -> GroupChange:
    """Change only ``web_01`` of two, and say what becomes of the group."""
    changed = replace(web(1), **changes)  # type: ignore[arg-type] # fields by name
    (found,) = compare([WEB], [group_of(web(0), changed)]).changed
    assert found.new.processes[1] == changed
    return found


def test_numprocs_from_two_to_three_adds_one_and_touches_none() -> None:
    new = group_of(web(0), web(1), web(2))

    diff = compare([WEB], [new])

    assert diff == Diff(changed=(GroupChange(WEB, new, add=(web(2),)),))
    assert not diff.empty


def test_numprocs_from_three_to_two_drops_one_and_touches_none() -> None:
    old = group_of(web(0), web(1), web(2))

    assert change(old, WEB) == GroupChange(old, WEB, drop=(web(2),))


LIVE: dict[str, object] = {
    "policy": Policy(stopwaitsecs=60, autorestart=AutoRestart.ALWAYS),
    "autostart": False,
    "priority": 1,
    "program": "www",
    "strip_ansi": True,
    "stdout": OutputSpec("/var/log/web.log", maxbytes=1024, backups=2),
    "stderr": OutputSpec(None, syslog=True),
}
SPAWNED: dict[str, object] = {
    "command": "/bin/web --slow",
    "directory": "/srv",
    "umask": 0o077,
    "user": NOBODY,
    "environment": (("A", "1"),),
    "redirect_stderr": True,
    "serverurl": "unix:///tmp/other.sock",
    "stdout": OutputSpec(None),
    "stderr": OutputSpec(None),
}
IDENTITY = {"name", "group"}  # another one is another process


@pytest.mark.parametrize("key", LIVE)
def test_what_a_running_child_need_not_know_restarts_nobody(key: str) -> None:
    found = become(**{key: LIVE[key]})

    assert (found.add, found.drop, found.renew) == ((), (), ())
    assert [process.name for process in found.retune] == ["web_01"]


@pytest.mark.parametrize("key", SPAWNED)
def test_what_a_child_was_spawned_with_renews_exactly_those_it_changed_for(key: str) -> None:
    found = become(**{key: SPAWNED[key]})

    assert (found.add, found.drop, found.retune) == ((), (), ())
    assert [process.name for process in found.renew] == ["web_01"]


def test_every_key_of_a_process_is_either_applied_live_or_needs_a_new_child() -> None:
    assert {field.name for field in fields(ProcessSpec)} == {*LIVE, *SPAWNED, *IDENTITY}


def test_another_log_and_another_command_at_once_renew() -> None:
    found = become(command="/bin/web2", stdout=OutputSpec("/tmp/x"))

    assert [process.name for process in found.renew] == ["web_01"]
    assert found.retune == ()


def test_the_same_environment_in_another_order_renews_nobody() -> None:
    old = group_of(replace(web(), environment=(("A", "1"), ("B", "2"))))
    new = group_of(replace(web(), environment=(("B", "2"), ("A", "1"))))

    assert change(old, new).renew == ()


def test_the_log_of_a_redirected_stderr_renews_nobody() -> None:
    old = group_of(replace(web(), redirect_stderr=True))
    new = group_of(replace(web(), redirect_stderr=True, stderr=OutputSpec(None)))

    assert change(old, new).renew == ()


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (OutputSpec(), True),
        (OutputSpec("/tmp/log"), True),
        (OutputSpec(None), False),
        (OutputSpec(None, maxbytes=1, backups=1), False),
        (OutputSpec(None, capture_maxbytes=1), True),
        (OutputSpec(None, events_enabled=True), True),
        (OutputSpec(None, syslog=True), True),
    ],
)
def test_a_stream_has_a_pipe_only_if_somebody_reads_it(output: OutputSpec, wanted: bool) -> None:
    assert wants_pipe(output) is wanted


def test_groups_come_and_go_in_the_order_of_their_plans() -> None:
    a, b, c, d = (group_of(name=name) for name in "abcd")

    diff = compare([b, a], [d, c])

    assert diff == Diff(added=(d, c), removed=(b, a))
    assert not diff.empty
    assert not compare([a], []).empty
    assert not compare([], [a]).empty


def test_a_priority_of_the_group_changes_the_group_and_no_member() -> None:
    new = replace(WEB, priority=1)

    assert compare([WEB], [new]).changed == (GroupChange(WEB, new),)


def test_the_files_that_speak_of_a_group_are_no_part_of_it() -> None:
    assert compare([WEB], [replace(WEB, sources=("/etc/moved.conf",))]).empty


def test_a_program_that_joins_a_group_leaves_its_own() -> None:
    joined = group_of(web(0, "site"), name="site")

    diff = compare([group_of(web(0))], [joined])

    assert [gone.name for gone in diff.removed] == ["web"]
    assert [come.name for come in diff.added] == ["site"]


def test_a_program_whose_group_is_now_written_out_goes_on_running() -> None:
    written = replace(WEB, kind=GroupKind.GROUP)

    assert change(WEB, written) == GroupChange(WEB, written)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (GroupSpec("web"), GroupSpec("web", kind=GroupKind.EVENTLISTENER)),
        (GroupSpec("web", kind=GroupKind.EVENTLISTENER), GroupSpec("web", kind=GroupKind.GROUP)),
        (GroupSpec("web"), GroupSpec("web", kind=GroupKind.FCGI, fcgi=FcgiSpec("tcp://:9000"))),
        (
            GroupSpec("web", kind=GroupKind.FCGI, fcgi=FcgiSpec("tcp://:9000")),
            GroupSpec("web", kind=GroupKind.FCGI, fcgi=FcgiSpec("tcp://:9001")),
        ),
    ],
)
def test_other_descriptors_of_the_group_need_other_children(old: GroupSpec, new: GroupSpec) -> None:
    old = replace(old, processes=(web(0), web(1)))
    new = replace(new, processes=(web(0), web(2)))

    assert change(old, new) == GroupChange(old, new, add=new.processes, drop=old.processes)


def test_other_events_for_a_listener_pool_restart_no_listener() -> None:
    old = replace(WEB, kind=GroupKind.EVENTLISTENER, listener=ListenerSpec(("TICK_5",)))
    new = replace(old, listener=ListenerSpec(("TICK_60",), buffer_size=50))

    assert compare([old], [new]).changed == (GroupChange(old, new),)


# --- links that point nowhere -------------------------------------------------------------


def test_a_running_group_whose_file_dangles_is_kept() -> None:
    lost = replace(WEB, sources=("/etc/superd.toml", "/etc/conf.d/web.conf"))
    other = group_of(name="other")

    assert keep({"web": lost}, [other], ["/etc/conf.d/web.conf"]) == (other, lost)


def test_a_group_that_was_removed_on_purpose_is_not_kept() -> None:
    gone = replace(WEB, sources=("/etc/conf.d/web.conf",))

    assert keep({"web": gone}, [], ["/etc/conf.d/other.conf"]) == ()
    assert keep({"web": gone}, [], []) == ()


def test_a_group_that_is_told_of_elsewhere_is_as_it_is_told_there() -> None:
    lost = replace(WEB, sources=("/etc/conf.d/web.conf",))
    found = replace(WEB, priority=5)

    assert keep({"web": lost}, [found], ["/etc/conf.d/web.conf"]) == (found,)


# --- properties ---------------------------------------------------------------------------

VARIANTS: list[dict[str, object]] = [
    {},
    {"command": "/bin/web2"},
    {"policy": Policy(stopwaitsecs=1), "priority": 1},
    {"environment": (("A", "1"),), "priority": 2},
    {"stdout": OutputSpec(None)},
    {"stdout": OutputSpec("/tmp/x", maxbytes=0), "redirect_stderr": True},
    {"stderr": OutputSpec(None), "redirect_stderr": True},
]
KINDS: list[dict[str, object]] = [
    {},
    {"priority": 1},
    {"kind": GroupKind.GROUP},
    {"kind": GroupKind.EVENTLISTENER, "listener": ListenerSpec(("TICK_5",))},
    {"kind": GroupKind.EVENTLISTENER, "listener": ListenerSpec(("TICK_60",))},
    {"kind": GroupKind.FCGI, "fcgi": FcgiSpec("tcp://:1")},
    {"kind": GroupKind.FCGI, "fcgi": FcgiSpec("tcp://:2")},
]


def plan_of(drawn: dict[str, tuple[dict[str, object], dict[int, dict[str, object]]]]) -> Plan:
    return [
        replace(
            GroupSpec(name),
            processes=tuple(
                replace(web(number, name), **changes)  # type: ignore[arg-type] # by name
                for number, changes in processes.items()
            ),
            **kind,  # type: ignore[arg-type] # fields by name
        )
        for name, (kind, processes) in drawn.items()
    ]


Plan = list[GroupSpec]
PLANS = st.dictionaries(
    st.sampled_from("abc"),
    st.tuples(
        st.sampled_from(KINDS),
        st.dictionaries(st.integers(0, 3), st.sampled_from(VARIANTS), max_size=4),
    ),
    max_size=3,
).map(plan_of)


def members(group: GroupSpec) -> dict[str, ProcessSpec]:
    return {process.name: process for process in group.processes}


def after(was: GroupChange) -> dict[str, ProcessSpec]:
    """Do to the members of the old group what the change says."""
    now = members(was.old)
    for process in was.drop:
        assert now.pop(process.name) == process
    for process in was.add:
        assert process.name not in now
        now[process.name] = process
    for process in (*was.renew, *was.retune):
        assert now[process.name] != process
        now[process.name] = process
    return now


@given(PLANS, PLANS)
def test_applying_a_diff_gives_the_new_plan(old: Plan, new: Plan) -> None:
    diff = compare(old, new)

    reached = {group.name: group for group in old}
    for group in diff.removed:
        assert reached.pop(group.name) == group
    for group in diff.added:
        assert group.name not in reached
        reached[group.name] = group
    for change_ in diff.changed:
        assert reached[change_.old.name] == change_.old
        assert after(change_) == members(change_.new)
        reached[change_.new.name] = change_.new
    assert reached == {group.name: group for group in new}


@given(PLANS)
def test_a_plan_does_not_differ_from_itself(plan: Plan) -> None:
    assert compare(plan, plan).empty
    assert compare(plan, reversed(plan)).empty


@given(PLANS, PLANS)
def test_what_is_the_same_in_both_plans_is_not_touched(old: Plan, new: Plan) -> None:
    for was in compare(old, new).changed:
        if was.old.kind is was.new.kind and was.old.fcgi == was.new.fcgi:
            touched = {p.name for p in (*was.add, *was.drop, *was.renew, *was.retune)}
            same = members(was.old).items() & members(was.new).items()
            assert touched.isdisjoint(name for name, _ in same)


@given(PLANS, PLANS, st.sets(st.sampled_from("xyz")))
def test_nobody_is_kept_twice(old: Plan, new: Plan, dangling: set[str]) -> None:
    running = {group.name: replace(group, sources=("x",)) for group in old}

    kept = keep(running, new, dangling)

    names = [group.name for group in kept]
    assert len(names) == len(set(names))
    assert kept[: len(new)] == tuple(new)
    lost = running.keys() if "x" in dangling else set()
    assert set(names) == {group.name for group in new} | set(lost)
