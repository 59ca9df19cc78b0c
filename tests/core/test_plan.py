from __future__ import annotations

import json

import pytest
from hypothesis import given, settings, strategies as st

from supervise.core.plan import decode, encode, encode_problems
from supervise.core.spec import (
    AutoRestart,
    Backoff,
    DaemonSpec,
    FcgiSpec,
    GroupKind,
    GroupSpec,
    ListenerSpec,
    OutputSpec,
    Plan,
    Policy,
    ProcessSpec,
    ServerSpec,
    Source,
    UserSpec,
)
from supervise.errors import ConfigError

# Paths may hold bytes that are no UTF-8: Python shows them as lone surrogates.
TEXTS = st.text(st.characters(), max_size=6)
FLOATS = st.floats(0, 1000, allow_nan=False)
SMALL = st.integers(-2, 2000)
LISTS = st.lists(TEXTS, max_size=3).map(tuple)
USERS = st.builds(UserSpec, TEXTS, SMALL, SMALL, st.lists(SMALL, max_size=3).map(tuple))
POLICIES = st.builds(
    Policy,
    startsecs=FLOATS,
    startretries=SMALL,
    autorestart=st.sampled_from(AutoRestart),
    exitcodes=st.lists(SMALL, max_size=3).map(tuple),
    stopsignal=SMALL,
    stopasgroup=st.booleans(),
    backoff=st.sampled_from(Backoff),
    backoff_jitter=FLOATS,
)
OUTPUTS = st.builds(OutputSpec, st.none() | TEXTS, SMALL, SMALL, SMALL, st.booleans())
PROCESSES = st.builds(
    ProcessSpec,
    name=TEXTS,
    group=TEXTS,
    program=TEXTS,
    command=TEXTS,
    policy=POLICIES,
    autostart=st.booleans(),
    priority=SMALL,
    directory=st.none() | TEXTS,
    umask=st.none() | SMALL,
    user=st.none() | USERS,
    environment=st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple),
    stdout=OUTPUTS,
    stderr=OUTPUTS,
    redirect_stderr=st.booleans(),
    strip_ansi=st.booleans(),
    serverurl=st.none() | TEXTS,
)
GROUPS = st.builds(
    GroupSpec,
    name=TEXTS,
    priority=SMALL,
    processes=st.lists(PROCESSES, max_size=3).map(tuple),
    kind=st.sampled_from(GroupKind),
    listener=st.none() | st.builds(ListenerSpec, LISTS, SMALL, TEXTS),
    fcgi=st.none() | st.builds(FcgiSpec, TEXTS, st.none() | SMALL, st.none() | SMALL),
    sources=LISTS,
)
PLANS = st.builds(
    Plan,
    daemon=st.builds(DaemonSpec, logfile=st.none() | TEXTS, user=st.none() | USERS),
    servers=st.lists(
        st.builds(ServerSpec, TEXTS, st.none() | TEXTS, password=st.none() | TEXTS), max_size=2
    ).map(tuple),
    groups=st.lists(GROUPS, max_size=3).map(tuple),
    warnings=LISTS,
    notes=LISTS,
    sources=st.lists(st.builds(Source, TEXTS, SMALL, SMALL, SMALL), max_size=2).map(tuple),
    dangling=LISTS,
)


@settings(max_examples=60, deadline=None)
@given(PLANS)
def test_a_plan_comes_back_as_it_went(plan: Plan) -> None:
    lines = list(encode(plan))

    back = decode(lines)

    assert back == plan
    assert [group.sources for group in back.groups] == [group.sources for group in plan.groups]
    assert all(line.isascii() and "\n" not in line for line in lines)


def many(count: int) -> Plan:
    environment = tuple((f"KEY{number}", "value") for number in range(20))
    user = UserSpec("www", 33, 33, (33,))
    processes = tuple(
        ProcessSpec(
            f"web_{number}",
            "web",
            "web",
            "sleep 1000",
            Policy(startsecs=2),
            user=UserSpec(user.name, 33, 33, (33,)),
            environment=(*environment, ("N", str(number))),
        )
        for number in range(count)
    )
    return Plan(groups=(GroupSpec("web", processes=processes),))


def test_what_processes_have_in_common_is_one_object_afterwards() -> None:
    (group,) = decode(encode(many(3))).groups
    first, _, last = group.processes

    assert first.policy is last.policy
    assert first.user is last.user
    assert first.stdout is last.stderr
    assert first.command is last.command
    assert first.environment[0] is last.environment[0]


def test_every_line_is_needed() -> None:
    lines = list(encode(many(2)))

    with pytest.raises(ConfigError, match="ended before it was done"):
        decode(lines[:-1])


@pytest.mark.parametrize(
    "line", ["", "nonsense", "5", "[]", '["process"]', '["what"]', '["plan",99]', '["user",1]']
)
def test_garbage_is_an_error_in_plain_words(line: str) -> None:
    with pytest.raises(ConfigError, match="sent something strange"):
        decode([line])


def test_problems_arrive_instead_of_a_plan() -> None:
    with pytest.raises(ConfigError) as caught:
        decode([encode_problems(["a:1: wrong", "b:2: wrong"], ["c"])])

    assert caught.value.problems == ("a:1: wrong", "b:2: wrong")
    assert json.loads(encode_problems(["a"], ["c"])) == {"problems": ["a"], "warnings": ["c"]}
