"""A pretend kernel and shell for the machine: time, one program, and rules that must hold.

``World`` does what the daemon does with effects (events queue, an effect never runs inside
another, ``Spawned`` is the very next event) and what the kernel does with children. It
asserts after every event what must be true after any history, so that a test only has to
make things happen. No real time passes and nothing is started.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from supervise.core.machine import (
    SIGKILL,
    Announce,
    Effect,
    Event,
    Exited,
    ExitStatus,
    Kill,
    KillFailed,
    Looping,
    Process,
    Retune,
    Spawn,
    Spawned,
    SpawnFailed,
    Start,
    State,
    Step,
    Tick,
    step,
)
from supervise.core.spec import Policy

EDGES = {  # Supervisor 4.3's
    (State.STOPPED, State.STARTING),
    (State.EXITED, State.STARTING),
    (State.FATAL, State.STARTING),
    (State.BACKOFF, State.STARTING),
    (State.STARTING, State.RUNNING),
    (State.STARTING, State.BACKOFF),
    (State.STARTING, State.STOPPING),
    (State.RUNNING, State.STOPPING),
    (State.RUNNING, State.EXITED),
    (State.BACKOFF, State.FATAL),
    (State.BACKOFF, State.STOPPED),
    (State.STOPPING, State.STOPPED),
    (State.STOPPING, State.UNKNOWN),
} | {  # ours
    (State.EXITED, State.STOPPED),  # a restart that was pending is called off
    (State.UNKNOWN, State.STOPPING),  # a kill that was refused is tried again
    (State.UNKNOWN, State.EXITED),  # and its child may still end by itself
}
TIMED = {State.STARTING, State.BACKOFF, State.STOPPING}
FAILURE = ExitStatus(1)
ENDLESS = 2_000  # events in one wait after which the machine is spinning


@dataclass(frozen=True, slots=True)
class Habit:
    """What the program is like. ``life`` is in seconds from its start, None for ever."""

    life: float | None = None
    status: ExitStatus = FAILURE
    obeys: bool = True  # the stop signal ends it
    lag: float = 0.0  # seconds it takes to die of a signal
    broken: bool = False  # it cannot be started
    forbidden: bool = False  # it became somebody whom we may not kill


@dataclass(slots=True)
class Child:
    pid: int
    habit: Habit
    doom: float | None
    status: ExitStatus


@dataclass(frozen=True, slots=True)
class Attempt:
    """A start that was tried, and whether by itself."""

    at: float
    automatic: bool


@dataclass(slots=True)
class World:
    policy: Policy = field(default_factory=Policy)
    habit: Habit = field(default_factory=Habit)
    luck: float = 0.5
    timer_first: bool = False  # of a timer and a death that are both overdue
    hear: Callable[[Announce], None] = lambda _: None
    now: float = 0.0
    process: Process = field(init=False)
    child: Child | None = None
    attempts: list[Attempt] = field(default_factory=list)
    announced: list[Announce] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    loops: list[float] = field(default_factory=list)
    patience: float = field(init=False)  # the longest stopwaitsecs there was
    _gap: float = field(init=False)  # the shortest restartgap since the last attempt
    _inbox: deque[Event] = field(default_factory=deque)
    _event: Event = field(default_factory=Tick)
    _busy: bool = False

    def __post_init__(self) -> None:
        self.process = Process(self.policy)
        self.patience = self.policy.stopwaitsecs
        self._gap = self.policy.restartgap

    @property
    def alive(self) -> set[int]:
        return {self.child.pid} if self.child else set()

    @property
    def states(self) -> list[State]:
        return [said.new for said in self.announced]

    # --- what a test makes happen ---------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Feed ``event`` in, carry out what follows, and check everything."""
        self._inbox.append(event)
        if self._busy:
            return
        self._busy = True
        while self._inbox:
            self._take(self._inbox.popleft())
        self._busy = False
        self._check_rest()

    def wait(self, seconds: float) -> None:
        """Let time pass: timers fire and children end when they should."""
        until = self.now + seconds
        for _ in range(ENDLESS):
            moment = min(self._moments(), default=None)
            if moment is None or moment > until:
                break
            self.now = max(self.now, moment)
            self._happen()
        else:
            raise AssertionError(f"spinning: {ENDLESS} events in {seconds} seconds")
        self.now = until

    def oversleep(self, seconds: float) -> None:
        """Let time pass unnoticed, as when the daemon had no turn; it then catches up."""
        self.now += seconds
        self.wait(0.0)

    def die(self, status: ExitStatus) -> None:
        """End the child, if there is one, from outside."""
        if self.child:
            self.child = None
            self.tell(Exited(status))

    def become(self, habit: Habit) -> None:
        """Change what the program is like from its next start on."""
        self.habit = habit

    def allow(self) -> None:
        """Let us kill the child that is there."""
        if self.child:
            self.child.habit = replace(self.child.habit, forbidden=False)

    # --- the kernel -----------------------------------------------------------------------

    def _moments(self) -> list[float]:
        doom = self.child.doom if self.child else None
        return [moment for moment in (doom, self.process.deadline) if moment is not None]

    def _happen(self) -> None:
        child, deadline = self.child, self.process.deadline
        doomed = child is not None and child.doom is not None and child.doom <= self.now
        timed = deadline is not None and deadline <= self.now
        if child is not None and doomed and not (timed and self.timer_first):
            self.die(child.status)
        else:
            before = self.process
            self.tell(Tick())
            assert self.process != before, "a timer fired for nothing"

    def _spawn(self) -> None:
        assert self.child is None, "two children at once"
        automatic = not isinstance(self._event, Start)
        if automatic:
            assert self.now >= self.attempts[-1].at + self._gap, "restarted within restartgap"
        self.attempts.append(Attempt(self.now, automatic))
        self._gap = self.process.policy.restartgap
        if self.habit.broken:
            self._inbox.appendleft(SpawnFailed("no such file"))
            return
        life = self.habit.life
        doom = None if life is None else self.now + life
        self.child = Child(100 + len(self.attempts), self.habit, doom, self.habit.status)
        self._inbox.appendleft(Spawned(self.child.pid))

    def _kill(self, kill: Kill) -> None:
        assert self.child is not None, "killed nobody"
        self.kills.append(kill)
        if self.child.habit.forbidden:
            self._inbox.append(KillFailed("operation not permitted"))
        elif kill.signal == SIGKILL or self.child.habit.obeys:
            doom = self.now + self.child.habit.lag
            if self.child.doom is None or doom < self.child.doom:
                self.child.doom, self.child.status = doom, ExitStatus(-1, kill.signal)

    # --- the shell ------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        self._event = event
        if isinstance(event, Retune):
            self.patience = max(self.patience, event.policy.stopwaitsecs)
            self._gap = min(self._gap, event.policy.restartgap)
        before = self.process
        taken = step(before, event, self.now, self.luck)
        self._check_step(before, taken)
        self.process = taken.process
        for effect in taken.effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Spawn():
                self._spawn()
            case Kill():
                self._kill(effect)
            case Announce():
                self.announced.append(effect)
                self.hear(effect)
            case Looping():
                self.loops.append(self.now)

    # --- what must always be true ---------------------------------------------------------

    def _check_step(self, before: Process, taken: Step) -> None:
        """Announcements form a chain from the old state to the new, along known edges."""
        state = before.state
        for effect in taken.effects:
            if isinstance(effect, Announce):
                assert effect.old is state, "a state was skipped"
                assert (effect.old, effect.new) in EDGES, f"{effect.old!r} to {effect.new!r}"
                state = effect.new
            if isinstance(effect, Spawn):
                assert effect is taken.effects[-1], "a child is started before all is said"
                assert state is State.STARTING
            if isinstance(effect, Kill):
                assert state is State.STOPPING, "killed before it is said"
        assert taken.process.state is state, "a state was entered unannounced"
        assert not (before.held and not taken.process.held), "hold was forgotten"

    def _check_rest(self) -> None:
        """Nothing is under way now: the machine knows the child and has the timer it needs."""
        process = self.process
        assert ({process.pid} - {None}) == self.alive, "the machine lost its child"
        if process.state is not State.EXITED:
            assert (process.deadline is not None) == (process.state in TIMED)
        if process.held:
            assert process.state is not State.BACKOFF
            assert not process.restart_pending
