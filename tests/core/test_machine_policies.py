"""What the machine announces, and what each key of a policy decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from supervise.core.machine import (
    ALIVE,
    KILL_AGAIN,
    LOOPING,
    RUNNING_STATES,
    STOPPED_STATES,
    TOO_QUICK,
    Announce,
    Event,
    Exited,
    ExitStatus,
    Force,
    Kill,
    Process,
    Spawned,
    SpawnFailed,
    Start,
    State,
    Stop,
    Tick,
    step,
)
from supervise.core.spec import AutoRestart, Backoff, Policy
from tests.support.situations import BAD, DUE, EARLY, GOOD, SHOT, SITUATIONS, in_words

# --- what is announced ------------------------------------------------------------------


def said(process: Process, event: Event, now: float = DUE, luck: float = 0.5) -> list[Announce]:
    return [it for it in step(process, event, now, luck).effects if isinstance(it, Announce)]


def test_an_exit_and_its_restart_are_announced_with_the_child_they_speak_of() -> None:
    before = replace(SITUATIONS["starting"], failures=2)

    running, exited, starting = said(before, Exited(BAD))

    assert running == Announce(State.STARTING, State.RUNNING, 7, 0, True, None, "")
    assert exited == Announce(State.RUNNING, State.EXITED, 7, 0, False, BAD, "Bad exit code 1")
    assert starting == Announce(State.EXITED, State.STARTING, None, 0, False, BAD, "")


def test_giving_up_is_announced_after_one_more_backoff_with_the_reason() -> None:
    before = replace(SITUATIONS["starting"], failures=3)

    backoff, fatal = said(before, Exited(GOOD), EARLY)

    assert backoff == Announce(State.STARTING, State.BACKOFF, 7, 4, False, GOOD, TOO_QUICK)
    assert fatal == Announce(State.BACKOFF, State.FATAL, None, 4, False, GOOD, TOO_QUICK)


def test_a_start_that_failed_without_a_child_is_announced_without_a_pid() -> None:
    (backoff,) = said(SITUATIONS["forking"], SpawnFailed("no such file"))

    assert backoff == Announce(State.STARTING, State.BACKOFF, None, 2, False, None, "no such file")


def test_a_retry_tells_how_many_failed_before_it() -> None:
    (starting,) = said(SITUATIONS["backoff"], Tick())

    assert starting.tries == 2


def test_an_unknown_exit_is_announced_as_unexpected() -> None:
    (exited,) = said(SITUATIONS["unknown"], Exited(GOOD))

    assert exited == Announce(State.UNKNOWN, State.EXITED, 7, 0, False, GOOD, "not permitted")


# --- policies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("autorestart", "status", "expected", "comes_back"),
    [
        (AutoRestart.NEVER, ExitStatus(0), True, False),
        (AutoRestart.NEVER, ExitStatus(1), False, False),
        (AutoRestart.NEVER, SHOT, False, False),
        (AutoRestart.UNEXPECTED, ExitStatus(0), True, False),
        (AutoRestart.UNEXPECTED, ExitStatus(2), True, False),
        (AutoRestart.UNEXPECTED, ExitStatus(1), False, True),
        (AutoRestart.UNEXPECTED, SHOT, False, True),
        (AutoRestart.UNEXPECTED, ExitStatus(0, signal=15), False, True),
        (AutoRestart.ALWAYS, ExitStatus(0), True, True),
        (AutoRestart.ALWAYS, ExitStatus(1), False, True),
    ],
)
def test_autorestart_and_exit_codes_decide_what_comes_back(
    autorestart: AutoRestart, status: ExitStatus, expected: bool, comes_back: bool
) -> None:
    policy = Policy(autorestart=autorestart, exitcodes=(0, 2))
    before = replace(SITUATIONS["running"], policy=policy)

    after, effects = step(before, Exited(status), DUE)

    assert in_words(effects) == ("EXITED STARTING spawn" if comes_back else "EXITED")
    assert after.expected is expected


@pytest.mark.parametrize(("began", "told"), [(9.0, "EXITED STARTING spawn"), (9.125, "EXITED")])
def test_what_ran_for_restartgap_comes_back_at_once_and_what_did_not_waits(
    began: float, told: str
) -> None:
    after, effects = step(replace(SITUATIONS["young"], began=began), Exited(BAD), DUE)

    assert in_words(effects) == told
    assert after.restart_pending is (told == "EXITED")
    assert after.quick == int(told == "EXITED")


def test_only_an_exited_process_with_a_deadline_has_a_restart_pending() -> None:
    pending = [name for name, process in SITUATIONS.items() if process.restart_pending]

    assert pending == ["pending"]


def test_startsecs_of_zero_is_running_at_once() -> None:
    before = replace(SITUATIONS["forking"], policy=Policy(startsecs=0.0))

    after, effects = step(before, Spawned(8), 9.75)

    assert in_words(effects) == "RUNNING"
    assert effects == (Announce(State.STARTING, State.RUNNING, 8, 0, True, None, ""),)
    assert (after.pid, after.began, after.deadline, after.failures) == (8, 9.75, None, 0)


@pytest.mark.parametrize("stopasgroup", [False, True])
@pytest.mark.parametrize("killasgroup", [False, True])
def test_stop_and_kill_reach_the_group_only_if_asked(stopasgroup: bool, killasgroup: bool) -> None:
    policy = Policy(stopsignal=3, stopasgroup=stopasgroup, killasgroup=killasgroup)
    before = replace(SITUATIONS["running"], policy=policy)

    stopping, stopped = step(before, Stop(), DUE)
    _, killed = step(stopping, Tick(), 20.0)
    _, forced = step(before, Force(), DUE)

    assert stopped[-1] == Kill(3, stopasgroup)
    assert killed == (Kill(9, killasgroup),)
    assert forced[-1] == Kill(9, killasgroup)


@pytest.mark.parametrize(("stopwaitsecs", "again"), [(0.0, KILL_AGAIN), (0.5, 1.0), (3.0, 3.0)])
def test_kill_is_repeated_every_stopwaitsecs_but_not_in_a_spin(
    stopwaitsecs: float, again: float
) -> None:
    policy = Policy(stopwaitsecs=stopwaitsecs)

    stopping, _ = step(replace(SITUATIONS["running"], policy=policy), Stop(), DUE)
    killed, _ = step(stopping, Tick(), DUE + stopwaitsecs)

    assert stopping.deadline == DUE + stopwaitsecs
    assert killed.deadline == DUE + stopwaitsecs + again


@pytest.mark.parametrize(
    ("startretries", "failures", "state"),
    [
        (0, 0, State.FATAL),
        (1, 0, State.BACKOFF),
        (1, 1, State.FATAL),
        (3, 2, State.BACKOFF),
        (3, 3, State.FATAL),
        (-1, 0, State.BACKOFF),
        (-1, 10_000, State.BACKOFF),
    ],
)
def test_startretries_is_the_number_of_failures_that_are_forgiven(
    startretries: int, failures: int, state: State
) -> None:
    policy = Policy(startretries=startretries)
    before = replace(SITUATIONS["forking"], policy=policy, failures=failures)

    after, _ = step(before, SpawnFailed("no"), DUE)

    assert after.state is state
    assert (after.deadline is None) == (state is State.FATAL)


LINEAR, EXPONENTIAL = Backoff.LINEAR, Backoff.EXPONENTIAL


@pytest.mark.parametrize(
    ("policy", "failures", "luck", "delay"),
    [
        (Policy(), 1, 0.0, 1.0),
        (Policy(), 7, 1.0, 7.0),
        (Policy(backoff_max=5.0), 4, 0.5, 4.0),
        (Policy(backoff_max=5.0), 6, 0.5, 5.0),
        (Policy(backoff_max=0.25, restartgap=0.0), 1, 0.5, 0.25),
        (Policy(backoff=EXPONENTIAL), 1, 0.5, 1.0),
        (Policy(backoff=EXPONENTIAL), 2, 0.5, 2.0),
        (Policy(backoff=EXPONENTIAL), 6, 0.5, 32.0),
        (Policy(backoff=EXPONENTIAL, backoff_max=30.0), 6, 0.5, 30.0),
        (Policy(backoff=EXPONENTIAL, backoff_max=60.0), 100_000, 0.5, 60.0),
        (Policy(backoff_jitter=0.25), 4, 0.0, 3.0),
        (Policy(backoff_jitter=0.25), 4, 0.5, 4.0),
        (Policy(backoff_jitter=0.25), 4, 1.0, 5.0),
        (Policy(backoff_max=8.0, backoff_jitter=0.5), 100, 1.0, 12.0),  # chance has the last word
        (Policy(backoff_jitter=1.0, restartgap=0.0), 4, 0.0, 0.0),
    ],
)
def test_how_long_a_failed_start_is_left_alone(
    policy: Policy, failures: int, luck: float, delay: float
) -> None:
    policy = replace(policy, startretries=-1)
    before = Process(policy, State.STARTING, began=DUE, failures=failures - 1)

    after, _ = step(before, SpawnFailed("no"), DUE, luck)

    assert after.deadline == DUE + delay


def test_a_backoff_without_a_limit_stays_a_number_after_any_number_of_failures() -> None:
    policy = Policy(startretries=-1, backoff=EXPONENTIAL)
    before = Process(policy, State.STARTING, failures=10_000)

    after, _ = step(before, SpawnFailed("no"), DUE)

    assert after.deadline == DUE + 2.0**60  # the doubling ends there, long after everybody


def test_no_delay_brings_two_starts_closer_than_restartgap() -> None:
    policy = Policy(restartgap=5.0, backoff_jitter=1.0)
    before = Process(policy, State.STARTING, began=8.0)

    after, _ = step(before, SpawnFailed("no"), DUE, luck=0.0)

    assert after.deadline == 13.0


# --- the warning of a loop --------------------------------------------------------------


def quick_deaths(number: int, policy: Policy) -> list[str]:
    """Die ``number`` times in a row right after the start; give each death's effects."""
    process, deaths = Process(policy), []
    process, _ = step(process, Start(), 0.0)
    for now in map(float, range(number)):
        process, _ = step(process, Spawned(8), now)
        process, effects = step(process, Exited(BAD), now + 0.25)
        deaths.append(in_words(effects))
        process, _ = step(process, Tick(), now + 1)
    return deaths


def test_a_loop_is_told_of_once_at_the_third_quick_death() -> None:
    deaths = quick_deaths(6, Policy(startsecs=0.0))

    assert LOOPING == 3
    assert deaths == ["EXITED", "EXITED", "EXITED looping", "EXITED", "EXITED", "EXITED"]


def test_what_does_not_come_back_is_no_loop() -> None:
    before = replace(SITUATIONS["young"], quick=2, policy=Policy(autorestart=AutoRestart.NEVER))

    _, effects = step(before, Exited(BAD), DUE)

    assert in_words(effects) == "EXITED"


def test_one_long_life_ends_a_loop_and_the_next_is_told_of_again() -> None:
    long = replace(SITUATIONS["running"], quick=LOOPING)
    after, _ = step(long, Exited(BAD), DUE)

    alive, _ = step(replace(after, quick=after.quick + 2), Spawned(8), DUE)
    running, _ = step(alive, Tick(), DUE + 1)
    _, effects = step(replace(running, began=DUE + 0.5), Exited(BAD), DUE + 1)

    assert after.quick == 0
    assert in_words(effects) == "EXITED looping"


def test_a_new_process_is_stopped_and_knows_of_nothing() -> None:
    assert Process() == Process(
        Policy(), State.STOPPED, pid=None, deadline=None, began=0.0, failures=0, quick=0,
        restarts=0, status=None, expected=True, reason="", held=False,
    )  # fmt: skip
    assert ExitStatus(1) == ExitStatus(1, signal=None, core=False)


def test_the_numbers_of_the_states_are_those_clients_know() -> None:
    assert {state.name: int(state) for state in State} == {
        "STOPPED": 0,
        "STARTING": 10,
        "RUNNING": 20,
        "BACKOFF": 30,
        "STOPPING": 40,
        "EXITED": 100,
        "FATAL": 200,
        "UNKNOWN": 1000,
    }


def test_the_classes_of_the_states_are_those_of_start_and_stop() -> None:
    assert {State.STARTING, State.RUNNING, State.BACKOFF} == RUNNING_STATES
    assert {State.STOPPED, State.EXITED, State.FATAL, State.UNKNOWN} == STOPPED_STATES
    assert {State.STARTING, State.RUNNING, State.STOPPING} == ALIVE


def test_without_luck_a_delay_is_what_it_says() -> None:
    policy = Policy(backoff_jitter=1.0)

    after, _ = step(Process(policy, State.STARTING, began=DUE), SpawnFailed("no"), DUE)

    assert after.deadline == DUE + 1
