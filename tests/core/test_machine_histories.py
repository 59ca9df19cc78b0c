"""The machine over random histories against a pretend kernel (tests/support/world.py).

The world asserts after every event that there are never two children, that no timer fires
for nothing, that announcements form a chain along known edges, that effects come in their
order, and that nothing restarts within ``restartgap``. A property adds what it is about.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings, strategies as st

from supervise.core.machine import (
    KILL_AGAIN,
    SIGKILL,
    Announce,
    ExitStatus,
    Force,
    Hold,
    Retune,
    Start,
    State,
    Stop,
    Tick,
)
from supervise.core.spec import AutoRestart, Backoff, Policy
from tests.support.world import Attempt, Habit, World

SETTLED = {State.STOPPED, State.EXITED, State.FATAL}
GOOD, SHOT = ExitStatus(0), ExitStatus(-1, 9)
HEALTHY = Habit()

# Lists of ready-made values, not composed strategies: quick to draw from, and an entry that
# stands there twice comes twice as often. All times are exact as floats.
POLICIES = st.builds(
    Policy,
    startsecs=st.sampled_from([1.0, 0.0, 0.5, 3.0]),
    startretries=st.integers(-1, 4),
    autorestart=st.sampled_from(AutoRestart),
    exitcodes=st.sampled_from([(0,), (0, 2), ()]),
    stopwaitsecs=st.sampled_from([0.0, 0.25, 2.0, 10.0]),
    restartgap=st.sampled_from([1.0, 0.0, 0.5, 4.0]),
    backoff=st.sampled_from(Backoff),
    backoff_max=st.sampled_from([0.0, 0.5, 5.0]),
    backoff_jitter=st.sampled_from([0.0, 0.25, 0.5]),
)
NEW_POLICIES = [
    Policy(),
    Policy(startsecs=0.0, autorestart=AutoRestart.ALWAYS, stopwaitsecs=0.25),
    Policy(startsecs=3.0, startretries=-1, restartgap=4.0),
    Policy(startretries=0, restartgap=0.0, autorestart=AutoRestart.NEVER),
    Policy(startretries=-1, backoff=Backoff.EXPONENTIAL, backoff_max=5.0, stopwaitsecs=0.0),
]
HABITS = [
    HEALTHY,
    HEALTHY,
    Habit(life=0.25),
    Habit(life=0.75, status=GOOD),
    Habit(life=1.0),
    Habit(life=5.0),
    Habit(life=5.0, status=GOOD, obeys=False),
    Habit(lag=0.25),
    Habit(obeys=False, lag=0.5),
    Habit(forbidden=True),
    Habit(forbidden=True, life=5.0),
    Habit(broken=True),
]
WORLDS = st.builds(
    World,
    policy=POLICIES,
    habit=st.sampled_from(HABITS),
    luck=st.sampled_from([0.0, 0.5, 1.0]),
    timer_first=st.booleans(),
)

History = list[tuple[str, object]]
KERNEL: History = [  # nobody commands: time passes, the program does as it likes
    *[("wait", seconds) for seconds in (0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 20.0)],
    *[("oversleep", seconds) for seconds in (0.125, 0.5, 1.0, 5.0)],
    *[("die", status) for status in (GOOD, ExitStatus(1), ExitStatus(2), SHOT)],
    *[("become", habit) for habit in HABITS[1:]],
    ("tell", Tick()),
]
STARTS: History = [("tell", Start())] * 8
USUAL: History = [
    *KERNEL,
    *STARTS,
    *[("tell", Stop())] * 5,
    *[("tell", Force())] * 3,
    *[("tell", Retune(policy)) for policy in NEW_POLICIES],
]


def histories(actions: History) -> st.SearchStrategy[History]:
    """Give lists of (what the world does, with what)."""
    return st.lists(st.sampled_from(actions), min_size=10, max_size=60)


HISTORIES = histories(USUAL)
UNTOUCHED = histories(KERNEL)
ANYTHING = histories([*USUAL, ("tell", Hold())])


MANY = settings(max_examples=300)  # what everything else stands on


def live(world: World, history: History) -> None:
    for action, argument in history:
        getattr(world, action)(argument)


@MANY
@given(WORLDS, ANYTHING)
def test_after_any_history_stop_leaves_no_child(world: World, history: History) -> None:
    live(world, history)
    world.allow()

    world.tell(Stop())
    world.wait(world.patience + KILL_AGAIN)

    assert world.alive == set()
    assert world.process.state in SETTLED
    assert world.process.deadline is None


@MANY
@given(WORLDS, HISTORIES, UNTOUCHED)
def test_what_was_stopped_never_starts_by_itself(
    world: World, history: History, later: History
) -> None:
    live(world, history)
    world.allow()
    world.tell(Stop())
    world.wait(world.patience + KILL_AGAIN)
    before = len(world.attempts)

    live(world, later)

    assert len(world.attempts) == before


@MANY
@given(WORLDS, HISTORIES, ANYTHING)
def test_once_held_nothing_starts_again(world: World, history: History, later: History) -> None:
    live(world, history)
    world.tell(Hold())
    before = len(world.attempts)

    live(world, later)

    assert len(world.attempts) == before


@MANY
@given(WORLDS, ANYTHING)
def test_force_is_sigkill_now_or_nothing_left_to_kill(world: World, history: History) -> None:
    live(world, history)
    world.allow()
    had_child, before = bool(world.alive), len(world.kills)

    world.tell(Force())
    world.wait(KILL_AGAIN / 2)

    killed = world.kills[before:]
    assert [kill.signal for kill in killed] == [SIGKILL] * had_child
    assert world.alive == set()
    assert not world.process.restart_pending
    assert world.process.state is not State.BACKOFF


@given(WORLDS, HISTORIES)
def test_whatever_happened_a_start_after_a_stop_runs_at_once(
    world: World, history: History
) -> None:
    live(world, history)
    world.become(HEALTHY)
    world.allow()
    world.tell(Stop())
    world.wait(world.patience + KILL_AGAIN)

    world.tell(Start())

    assert world.attempts[-1] == Attempt(world.now, automatic=False)
    world.wait(world.process.policy.startsecs)
    assert world.process.state is State.RUNNING
    assert world.process.failures == 0


@given(WORLDS, UNTOUCHED)
def test_a_process_that_always_restarts_is_up_again_whatever_became_of_it(
    world: World, history: History
) -> None:
    world.tell(Retune(replace(world.policy, autorestart=AutoRestart.ALWAYS, startretries=-1)))
    world.tell(Start())
    live(world, history)
    world.become(HEALTHY)
    world.die(ExitStatus(0))
    assert world.process.deadline is not None or world.alive

    longest = max(world.process.deadline or 0.0, world.now) - world.now
    world.wait(longest + world.policy.startsecs)

    assert world.process.state is State.RUNNING


@given(WORLDS, UNTOUCHED)
def test_failed_starts_in_a_row_never_exceed_startretries_and_one(
    world: World, history: History
) -> None:
    world.tell(Start())

    live(world, history)

    row = 0
    for said in world.announced:
        row = 0 if said.new is State.RUNNING else row + (said.new is State.BACKOFF)
        assert world.policy.startretries == -1 or row <= world.policy.startretries + 1
        assert said.new is not State.FATAL or row == world.policy.startretries + 1


@given(WORLDS, UNTOUCHED)
def test_restarts_counts_every_automatic_start(world: World, history: History) -> None:
    world.tell(Start())

    live(world, history)

    assert world.process.restarts == sum(attempt.automatic for attempt in world.attempts)
    assert world.process.restarts == len(world.attempts) - 1


@given(POLICIES, st.sampled_from(HABITS), HISTORIES)
def test_learning_the_same_policy_again_changes_nothing(
    policy: Policy, habit: Habit, history: History
) -> None:
    retold = World(policy, habit)
    plain = World(policy, habit)

    for action, argument in history:
        if isinstance(argument, Retune):
            continue
        for world in (retold, plain):
            getattr(world, action)(argument)
        retold.tell(Retune(policy))

    assert retold.process == plain.process
    assert retold.announced == plain.announced


@given(WORLDS, HISTORIES, POLICIES)
def test_a_new_policy_holds_from_the_next_decision_on(
    world: World, history: History, policy: Policy
) -> None:
    live(world, history)
    before = world.process

    world.tell(Retune(policy))

    assert world.process == replace(before, policy=policy)


@given(WORLDS, HISTORIES, st.sampled_from(State), st.sampled_from([Start(), Stop(), Force()]))
def test_a_command_given_at_an_announcement_is_obeyed_after_it(
    world: World, history: History, state: State, command: Start | Stop | Force
) -> None:
    def hear(said: Announce) -> None:
        if said.new is state and len(world.announced) < 50:
            world.tell(command)

    world.hear = hear
    live(world, history)

    world.allow()
    world.hear = lambda _: None
    world.tell(Stop())
    world.wait(world.patience + KILL_AGAIN)
    assert world.alive == set()
