"""Whole lives told from start to end against a pretend kernel (tests/support/world.py)."""

from __future__ import annotations

import pytest

from supervise.core.machine import SIGKILL, ExitStatus, Kill, Start, State, Stop
from supervise.core.spec import AutoRestart, Backoff, Policy
from tests.support.world import Habit, World


@pytest.mark.parametrize(
    ("policy", "habit", "attempts"),
    [
        (Policy(), Habit(broken=True), [0, 1, 3, 6]),
        (Policy(), Habit(life=0.25), [0, 1.25, 3.5, 6.75]),
        (Policy(startretries=0), Habit(broken=True), [0]),
        (Policy(startretries=2, restartgap=5.0), Habit(broken=True), [0, 5, 10]),
        (Policy(startretries=4, backoff=Backoff.EXPONENTIAL), Habit(broken=True), [0, 1, 3, 7, 15]),
        (
            Policy(startretries=4, backoff=Backoff.EXPONENTIAL, backoff_max=3.0),
            Habit(broken=True),
            [0, 1, 3, 6, 9],
        ),
        (Policy(startretries=3, backoff_max=1.5), Habit(broken=True), [0, 1, 2.5, 4]),
    ],
)
def test_attempts_come_at_their_times_and_end_as_fatal(
    policy: Policy, habit: Habit, attempts: list[float]
) -> None:
    world = World(policy, habit)

    world.tell(Start())
    world.wait(1_000)

    assert [attempt.at for attempt in world.attempts] == attempts
    assert world.process.state is State.FATAL
    assert world.process.deadline is None
    assert world.process.failures == len(attempts)


def test_a_process_that_runs_long_is_replaced_the_moment_it_dies() -> None:
    world = World()
    world.tell(Start())
    world.wait(5)

    world.die(ExitStatus(-1, 9))

    assert [attempt.at for attempt in world.attempts] == [0, 5]
    assert world.alive == {102}


def test_a_process_that_dies_at_birth_with_startsecs_zero_starts_once_a_restartgap() -> None:
    world = World(Policy(startsecs=0.0, autorestart=AutoRestart.ALWAYS), Habit(life=0.25))

    world.tell(Start())
    world.wait(6)

    assert [attempt.at for attempt in world.attempts] == [0, 1, 2, 3, 4, 5, 6]
    assert world.loops == [2.25]  # said once, at the third death


def test_an_operator_does_not_wait_for_restartgap() -> None:
    world = World(Policy(startsecs=0.0))
    world.tell(Start())
    world.wait(0.25)
    world.die(ExitStatus(1))
    world.wait(0.25)

    world.tell(Start())

    assert [attempt.at for attempt in world.attempts] == [0, 0.5]


def test_a_child_that_ignores_the_stop_signal_is_killed_after_stopwaitsecs() -> None:
    world = World(Policy(stopwaitsecs=4.0), Habit(obeys=False))
    world.tell(Start())
    world.wait(5)

    world.tell(Stop())
    world.wait(3.875)
    assert world.alive == {101}
    world.wait(0.125)

    assert world.kills == [Kill(15, group=False), Kill(SIGKILL, group=False)]
    assert world.process.state is State.STOPPED


def test_a_child_that_outlives_sigkill_is_killed_again_and_again() -> None:
    world = World(Policy(stopwaitsecs=2.0), Habit(obeys=False, lag=5.0))
    world.tell(Start())
    world.wait(5)

    world.tell(Stop())
    world.wait(60)

    assert [kill.signal for kill in world.kills] == [15, 9, 9, 9]
    assert world.process.state is State.STOPPED


def test_a_child_we_may_not_kill_is_unknown_until_it_ends_and_does_not_come_back() -> None:
    world = World(Policy(autorestart=AutoRestart.ALWAYS), Habit(life=20.0, forbidden=True))
    world.tell(Start())
    world.wait(5)

    world.tell(Stop())
    world.wait(10)
    assert world.alive == {101}
    world.wait(60)

    assert world.states[2:] == [State.STOPPING, State.UNKNOWN, State.EXITED]
    assert len(world.attempts) == 1


def test_stop_during_backoff_forgets_the_failures() -> None:
    world = World(habit=Habit(broken=True))
    world.tell(Start())
    world.wait(4)
    assert world.process.failures == 3

    world.tell(Stop())
    world.tell(Start())
    world.wait(1_000)

    assert world.states.count(State.FATAL) == 1
    assert [attempt.at for attempt in world.attempts] == [0, 1, 3, 4, 5, 7, 10]


def test_a_late_timer_does_not_turn_a_long_life_into_a_failed_start() -> None:
    world = World(habit=Habit(life=3.0))
    world.tell(Start())

    world.oversleep(3.5)

    assert world.states[:3] == [State.STARTING, State.RUNNING, State.EXITED]
    assert world.process.failures == 0


def test_a_stop_heard_at_the_announcement_of_the_start_ends_the_child_that_follows() -> None:
    world = World()
    world.hear = lambda said: world.tell(Stop()) if said.new is State.STARTING else None

    world.tell(Start())
    world.wait(0)

    assert world.states == [State.STARTING, State.STOPPING, State.STOPPED]
    assert world.alive == set()
