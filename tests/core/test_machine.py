"""The machine pair by pair: every situation with every event, due and early, held or not.

Derived by hand from Supervisor 4.3's docs/subprocess.rst. What is not in a table must
leave the process exactly as it was.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import pytest

from supervise.core.machine import (
    TOO_QUICK,
    Event,
    Exited,
    ExitStatus,
    Force,
    Hold,
    KillFailed,
    Process,
    Retune,
    Spawned,
    SpawnFailed,
    Start,
    State,
    Stop,
    Tick,
    step,
)
from tests.support.situations import BAD, DUE, EARLY, GOOD, OTHER, SHOT, SITUATIONS, in_words

EVENTS: dict[str, Event] = {
    "start": Start(),
    "stop": Stop(),
    "force": Force(),
    "hold": Hold(),
    "retune": Retune(OTHER),
    "tick": Tick(),
    "spawned": Spawned(8),
    "spawn failed": SpawnFailed("cannot find it"),
    "good exit": Exited(GOOD),
    "bad exit": Exited(BAD),
    "shot": Exited(SHOT),
    "kill failed": KillFailed("not permitted"),
}
EXITS = {"good exit": GOOD, "bad exit": BAD, "shot": SHOT}


@dataclass(frozen=True, slots=True)
class Row:
    """What must come of it: effects in words, and every field that is another one after."""

    told: str
    changes: dict[str, object]


def row(told: str, **changes: object) -> Row:
    return Row(told, changes)


def dead(status: ExitStatus, **changes: object) -> dict[str, object]:
    """Give what an exit changes that nobody asked for."""
    return {"pid": None, "status": status, "expected": False, **changes}


def due_moves(now: float) -> dict[tuple[str, str], Row]:
    """Every move of a process that nothing holds back, at or after its deadline."""
    begun = {"state": State.STARTING, "began": now, "deadline": None, "reason": ""}
    fresh = {**begun, "failures": 0, "quick": 0}
    stopped = {"state": State.STOPPED, "deadline": None}
    moves = {
        ("stopped", "start"): row("STARTING spawn", **fresh),
        ("exited", "start"): row("STARTING spawn", **fresh),
        ("pending", "start"): row("STARTING spawn", **fresh),
        ("fatal", "start"): row("STARTING spawn", **fresh),
        ("forking", "spawned"): row("", pid=8, began=now, deadline=now + 1),
        ("forking", "spawn failed"): row(
            "BACKOFF", state=State.BACKOFF, failures=2, expected=False,
            reason="cannot find it", deadline=now + 2,
        ),
        ("starting", "tick"): row("RUNNING", state=State.RUNNING, deadline=None, failures=0),
        ("starting", "stop"): row("STOPPING kill-15", state=State.STOPPING, deadline=now + 10),
        ("running", "stop"): row("STOPPING kill-15", state=State.STOPPING, deadline=now + 10),
        ("young", "stop"): row("STOPPING kill-15", state=State.STOPPING, deadline=now + 10),
        ("unknown", "stop"): row("STOPPING kill-15", state=State.STOPPING, deadline=now + 10),
        ("starting", "force"): row("STOPPING kill-9", state=State.STOPPING, deadline=now + 10),
        ("running", "force"): row("STOPPING kill-9", state=State.STOPPING, deadline=now + 10),
        ("young", "force"): row("STOPPING kill-9", state=State.STOPPING, deadline=now + 10),
        ("unknown", "force"): row("STOPPING kill-9", state=State.STOPPING, deadline=now + 10),
        ("stopping", "force"): row("kill-9", deadline=now + 10),
        ("stopping", "tick"): row("kill-9", deadline=now + 10),
        ("stopping", "kill failed"): row(
            "UNKNOWN", state=State.UNKNOWN, deadline=None, reason="not permitted"
        ),
        ("backoff", "tick"): row("STARTING spawn", **begun, restarts=1),
        ("backoff", "stop"): row("STOPPED", **stopped, failures=0),
        ("backoff", "force"): row("STOPPED", **stopped, failures=0),
        ("backoff", "hold"): row("STOPPED", **stopped, failures=0, held=True),
        ("pending", "tick"): row("STARTING spawn", **begun, restarts=1),
        ("pending", "stop"): row("STOPPED", **stopped),
        ("pending", "force"): row("STOPPED", **stopped),
        ("pending", "hold"): row("", deadline=None, held=True),
    }  # fmt: skip
    for event, status in EXITS.items():
        moves["stopping", event] = row("STOPPED", **stopped, pid=None, status=status)
        moves["unknown", event] = row("EXITED", **dead(status), state=State.EXITED)
    for event, status in (("bad exit", BAD), ("shot", SHOT)):
        moves["running", event] = row(
            "EXITED STARTING spawn", **begun, **dead(status), quick=0, restarts=1
        )
        moves["starting", event] = row(
            "RUNNING EXITED STARTING spawn", **begun, **dead(status), failures=0, restarts=1
        )
        moves["young", event] = row(
            "EXITED", **dead(status), state=State.EXITED, quick=1,
            reason=f"Bad exit code {status.code}", deadline=10.5,
        )  # fmt: skip
    ended = {"state": State.EXITED, "pid": None, "status": GOOD}
    moves["running", "good exit"] = row("EXITED", **ended, quick=0)
    moves["young", "good exit"] = row("EXITED", **ended, quick=1)
    moves["starting", "good exit"] = row("RUNNING EXITED", **ended, failures=0, deadline=None)
    return moves


def early_moves(now: float) -> dict[tuple[str, str], Row]:
    """Before the deadline no tick does anything, and an exit is a failed start."""
    moves = due_moves(now)
    for situation in SITUATIONS:
        moves.pop((situation, "tick"), None)
    for event, status in EXITS.items():
        moves["starting", event] = row(
            "BACKOFF", **dead(status), state=State.BACKOFF, failures=2,
            reason=TOO_QUICK, deadline=now + 2,
        )  # fmt: skip
    return moves


def with_the_rest(moves: dict[tuple[str, str], Row]) -> dict[tuple[str, str], Row]:
    """Add what is the same everywhere: a policy is learned, and being held is remembered."""
    for situation in SITUATIONS:
        moves.setdefault((situation, "hold"), row("", held=True))
        moves.setdefault((situation, "retune"), row("", policy=OTHER))
    return moves


def assert_step(before: Process, event: str, now: float, wanted: Row) -> None:
    after, effects = step(before, EVENTS[event], now)

    assert in_words(effects) == wanted.told
    assert after == replace(before, **wanted.changes)  # type: ignore[arg-type] # fields by name


PAIRS = list(itertools.product(SITUATIONS, EVENTS))
NOTHING = row("")


@pytest.mark.parametrize(("situation", "event"), PAIRS)
def test_every_pair_once_the_deadline_has_come(situation: str, event: str) -> None:
    wanted = with_the_rest(due_moves(DUE)).get((situation, event), NOTHING)

    assert_step(SITUATIONS[situation], event, DUE, wanted)


@pytest.mark.parametrize(("situation", "event"), PAIRS)
def test_every_pair_before_the_deadline(situation: str, event: str) -> None:
    wanted = with_the_rest(early_moves(EARLY)).get((situation, event), NOTHING)

    assert_step(SITUATIONS[situation], event, EARLY, wanted)


HOLDABLE = [pair for pair in PAIRS if pair[0] not in {"backoff", "pending"}]


@pytest.mark.parametrize(("situation", "event"), HOLDABLE)
def test_every_pair_of_a_process_that_is_held(situation: str, event: str) -> None:
    given_up = {"state": State.FATAL, "expected": False, "failures": 2}
    ended = {"state": State.EXITED, "deadline": None}
    moves = early_moves(EARLY)
    for settled in ("stopped", "exited", "fatal"):
        moves[settled, "start"] = NOTHING
    moves["forking", "spawn failed"] = row("BACKOFF FATAL", **given_up, reason="cannot find it")
    for name, status in EXITS.items():
        moves["starting", name] = row(
            "BACKOFF FATAL", **given_up, pid=None, status=status, deadline=None, reason=TOO_QUICK
        )
    for name, status in (("bad exit", BAD), ("shot", SHOT)):
        changes = {**ended, **dead(status), "reason": f"Bad exit code {status.code}"}
        moves["running", name] = row("EXITED", **changes, quick=0)
        moves["young", name] = row("EXITED", **changes, quick=1)
    wanted = with_the_rest(moves).get((situation, event), NOTHING)

    assert_step(replace(SITUATIONS[situation], held=True), event, EARLY, wanted)


def test_a_held_process_that_ran_its_startsecs_ends_as_exited_and_stays_so() -> None:
    before = replace(SITUATIONS["starting"], held=True)

    after, effects = step(before, Exited(BAD), DUE)

    assert in_words(effects) == "RUNNING EXITED"
    assert after.deadline is None
