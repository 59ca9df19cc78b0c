"""One process's life, decided and not done: state and event in, state and effects out.

No I/O, no clock, no chance: time is handed in, and luck for the jitter of a delay.
Source of the rules: Supervisor 4.3, docs/subprocess.rst, and its ``process.py`` where
they differ; ``restartgap`` and the exponential backoff are ours.

Where we differ on purpose: a process that ran for ``restartgap`` comes back at once; a
stop during BACKOFF forgets the failures, and one during the wait for a restart calls it
off (EXITED to STOPPED); one that waits in BACKOFF while the daemon goes down is STOPPED
and not FATAL; automatic restarts never come closer together than
``restartgap``, which an operator's start ignores; a child that could not be killed may
be stopped again (UNKNOWN to STOPPING) and may end by itself (UNKNOWN to EXITED).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import NamedTuple

from supervise.core.spec import AutoRestart, Backoff, Policy

TOO_QUICK = "Exited too quickly (process log may have details)"
LOOPING = 3  # deaths in a row within restartgap that are worth a warning
SIGKILL = 9
KILL_AGAIN = 1.0  # seconds between two SIGKILLs where stopwaitsecs is shorter


class State(IntEnum):
    """Supervisor's states and numbers."""

    STOPPED = 0
    STARTING = 10
    RUNNING = 20
    BACKOFF = 30
    STOPPING = 40
    EXITED = 100
    FATAL = 200
    UNKNOWN = 1000


ALIVE = frozenset({State.STARTING, State.RUNNING, State.STOPPING})
RUNNING_STATES = frozenset({State.STARTING, State.RUNNING, State.BACKOFF})
STOPPED_STATES = frozenset({State.STOPPED, State.EXITED, State.FATAL, State.UNKNOWN})


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a child ended: ``code`` 0..255, or ``signal`` and then code is -1 as upstream's."""

    code: int
    signal: int | None = None
    core: bool = False


# --- events -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Somebody wants it running: an operator, or autostart."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody wants it stopped."""


@dataclass(frozen=True, slots=True)
class Force:
    """Patience is over: SIGKILL now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The daemon is going down: nothing starts by itself any more."""


@dataclass(frozen=True, slots=True)
class Retune:
    """The configuration changed in what needs no restart."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline may have come; a tick that comes early does no harm."""


@dataclass(frozen=True, slots=True)
class Spawned:
    pid: int


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    text: str


@dataclass(frozen=True, slots=True)
class Exited:
    status: ExitStatus


@dataclass(frozen=True, slots=True)
class KillFailed:
    text: str


Event = Start | Stop | Force | Hold | Retune | Tick | Spawned | SpawnFailed | Exited | KillFailed


# --- effects ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a child; ``Spawned`` or ``SpawnFailed`` must be the very next event."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Send ``signal`` to the child, or to its whole process group."""

    signal: int
    group: bool


@dataclass(frozen=True, slots=True)
class Announce:
    """A state was left for another. ``pid`` is the child this speaks of, if any."""

    old: State
    new: State
    pid: int | None
    tries: int
    expected: bool
    status: ExitStatus | None
    reason: str


@dataclass(frozen=True, slots=True)
class Looping:
    """It died ``LOOPING`` times in a row within ``restartgap``; said once a loop."""


Effect = Spawn | Kill | Announce | Looping


@dataclass(frozen=True, slots=True)
class Process:
    """Where one process stands. Times are monotonic seconds.

    ``deadline`` is the one moment at which a ``Tick`` changes something, None if never.
    ``began`` is the last start; ``failures`` counts failed starts in a row, ``quick``
    deaths in a row within ``restartgap``, ``restarts`` everything that came back by itself.
    """

    policy: Policy = field(default_factory=Policy)
    state: State = State.STOPPED
    pid: int | None = None
    deadline: float | None = None
    began: float = 0.0
    failures: int = 0
    quick: int = 0
    restarts: int = 0
    status: ExitStatus | None = None
    expected: bool = True
    reason: str = ""
    held: bool = False

    @property
    def restart_pending(self) -> bool:
        """Whether it has exited and will come back by itself."""
        return self.state is State.EXITED and self.deadline is not None


class Step(NamedTuple):
    process: Process
    effects: tuple[Effect, ...] = ()


def step(process: Process, event: Event, now: float, luck: float = 0.5) -> Step:
    """Apply ``event``, which happened at ``now``, to ``process``.

    A pair that is not listed changes nothing: a timer that fires late and a second
    ``Stop`` are ordinary, and refusing a command is the caller's work. ``luck`` is in
    0..1 and decides the jitter of a delay.
    """
    match process.state, event:
        case State.STOPPED | State.EXITED | State.FATAL, Start() if not process.held:
            return _begin(replace(process, failures=0, quick=0), now)
        case State.BACKOFF | State.EXITED, Tick() if _due(process, now):
            return _begin(replace(process, restarts=process.restarts + 1), now)
        case State.STARTING, Spawned(pid) if process.pid is None:
            return _spawned(process, pid, now)
        case State.STARTING, SpawnFailed(text) if process.pid is None:
            return _back_off(process, text, now, luck)
        case State.STARTING, Tick() if _due(process, now):
            return _run(process)
        case State.STARTING, Exited(status) if process.pid is not None:
            if not _due(process, now):
                return _back_off(replace(process, status=status), TOO_QUICK, now, luck)
            # It did stay up long enough; the timer only had no turn before the exit.
            running = _run(process)
            return _then(running, _exited(running.process, status, now))
        case State.RUNNING, Exited(status):
            return _exited(process, status, now)
        case State.STARTING | State.RUNNING | State.UNKNOWN, Stop() if process.pid is not None:
            return _stop(process, now)
        case State.BACKOFF, Stop() | Force():
            return _move(process, State.STOPPED, deadline=None, failures=0)
        case State.EXITED, Stop() | Force() if process.deadline is not None:
            return _move(process, State.STOPPED, deadline=None)
        case State.STOPPING, Tick() if _due(process, now):
            return _kill(process, now)
        case State.STOPPING, Force():
            return _kill(process, now)
        case State.STARTING | State.RUNNING | State.UNKNOWN, Force() if process.pid is not None:
            stopping = _move(process, State.STOPPING)
            return _then(stopping, _kill(stopping.process, now))
        case State.STOPPING, Exited(status):
            return _move(process, State.STOPPED, status=status, deadline=None)
        case State.STOPPING, KillFailed(text):
            return _move(process, State.UNKNOWN, reason=text, deadline=None)
        case State.UNKNOWN, Exited(status):
            return _move(process, State.EXITED, status=status, expected=False)
        case _, Hold():
            return _hold(process)
        case _, Retune(policy):
            return Step(replace(process, policy=policy))
        case _:
            return Step(process)


def _due(process: Process, now: float) -> bool:
    return process.deadline is not None and now >= process.deadline


def _then(first: Step, second: Step) -> Step:
    return Step(second.process, first.effects + second.effects)


def _move(process: Process, state: State, **changes: object) -> Step:
    """Enter ``state`` and announce it; a state without a child forgets the pid."""
    after = replace(process, state=state, **changes)  # type: ignore[arg-type] # fields by name
    said = Announce(
        process.state,
        state,
        process.pid,
        after.failures,
        after.expected,
        after.status,
        after.reason,
    )
    if state not in ALIVE and state is not State.UNKNOWN:
        after = replace(after, pid=None)
    return Step(after, (said,))


def _begin(process: Process, now: float) -> Step:
    starting = _move(process, State.STARTING, began=now, deadline=None, reason="")
    return Step(starting.process, (*starting.effects, Spawn()))


def _spawned(process: Process, pid: int, now: float) -> Step:
    alive = replace(process, pid=pid, began=now)
    if process.policy.startsecs <= 0:
        return _run(alive)
    return Step(replace(alive, deadline=now + process.policy.startsecs))


def _run(process: Process) -> Step:
    return _move(process, State.RUNNING, deadline=None, failures=0)


def _back_off(process: Process, reason: str, now: float, luck: float) -> Step:
    failures = process.failures + 1
    policy = process.policy
    again = max(now + _delay(policy, failures, luck), process.began + policy.restartgap)
    backoff = _move(
        process, State.BACKOFF, failures=failures, reason=reason, deadline=again, expected=False
    )
    if process.held or 0 <= policy.startretries < failures:
        return _then(backoff, _move(backoff.process, State.FATAL, deadline=None))
    return backoff


def _delay(policy: Policy, failures: int, luck: float) -> float:
    """Seconds until the next try after ``failures`` failed ones."""
    linear = policy.backoff is Backoff.LINEAR
    delay = float(failures) if linear else 2.0 ** min(failures - 1, 60)
    if policy.backoff_max > 0:
        delay = min(delay, policy.backoff_max)
    return delay * (1 + policy.backoff_jitter * (2 * luck - 1))


def _exited(process: Process, status: ExitStatus, now: float) -> Step:
    policy = process.policy
    expected = status.signal is None and status.code in policy.exitcodes
    quick = process.quick + 1 if now - process.began < policy.restartgap else 0
    wanted = policy.autorestart is AutoRestart.ALWAYS or (
        policy.autorestart is AutoRestart.UNEXPECTED and not expected
    )
    exited = _move(
        process,
        State.EXITED,
        status=status,
        expected=expected,
        reason="" if expected else f"Bad exit code {status.code}",
        quick=quick,
        deadline=process.began + policy.restartgap if wanted and not process.held else None,
    )
    if exited.process.deadline is not None and quick == LOOPING:
        exited = Step(exited.process, (*exited.effects, Looping()))
    if _due(exited.process, now):
        again = replace(exited.process, restarts=process.restarts + 1)
        return _then(exited, _begin(again, now))
    return exited


def _stop(process: Process, now: float) -> Step:
    policy = process.policy
    stopping = _move(process, State.STOPPING, deadline=now + policy.stopwaitsecs)
    kill = Kill(policy.stopsignal, policy.stopasgroup)
    return Step(stopping.process, (*stopping.effects, kill))


def _kill(process: Process, now: float) -> Step:
    again = now + max(process.policy.stopwaitsecs, KILL_AGAIN)
    return Step(replace(process, deadline=again), (Kill(SIGKILL, process.policy.killasgroup),))


def _hold(process: Process) -> Step:
    held = replace(process, held=True)
    match process.state:
        case State.BACKOFF:
            return _move(held, State.STOPPED, deadline=None, failures=0)
        case State.EXITED:
            return Step(replace(held, deadline=None))
        case _:
            return Step(held)
