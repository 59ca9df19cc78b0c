"""One process and its child: feeds events to the machine and carries out its effects.

Decides nothing. Events queue, effects never nest, and the one timer is armed from the
machine's deadline.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from supervise.clock import Clock
from supervise.core import machine
from supervise.core.diff import wants_pipe
from supervise.core.machine import (
    Announce,
    Event,
    Exited,
    ExitStatus,
    Hold,
    Kill,
    KillFailed,
    Looping,
    Process,
    Retune,
    Spawn,
    Spawned,
    SpawnFailed,
    State,
    Tick,
)
from supervise.core.spec import ProcessSpec
from supervise.daemon.bus import Bus
from supervise.daemon.narrate import Narrator
from supervise.daemon.outputs import OutputMaker, Outputs
from supervise.errors import SpawnError
from supervise.names import ProcessName
from supervise.unix import signals
from supervise.unix.groups import Census, EmptyWatch
from supervise.unix.reap import Reaper
from supervise.unix.spawn import Child, Spawner

Waiter = Callable[["Runner", Announce], bool]  # True: that was it, do not call again


@dataclass(frozen=True, slots=True)
class Kit:
    """What every runner works with; one for all of them."""

    loop: asyncio.AbstractEventLoop
    spawner: Spawner
    reaper: Reaper
    outputs: OutputMaker
    bus: Bus
    narrator: Narrator
    clock: Clock
    luck: Callable[[], float]
    marks: dict[str, str]  # SUPERVISOR_* that are the same for all
    census: Census
    use_pidfd: bool = True


class Runner:
    """One entry of the process table, for as long as its group exists."""

    __slots__ = (
        "_armed",
        "_busy",
        "_inbox",
        "_kit",
        "_lingering",
        "_timer",
        "_waiters",
        "child",
        "name",
        "outputs",
        "process",
        "spec",
        "started_at",
        "stopped_at",
    )

    def __init__(self, spec: ProcessSpec, kit: Kit) -> None:
        self.spec = spec
        self.name = ProcessName(spec.group, spec.name)
        self.process = Process(spec.policy)
        self.child: Child | None = None
        self.outputs: Outputs | None = None  # made at the first start
        self.started_at = 0.0  # wall clock, for people
        self.stopped_at = 0.0
        self._kit = kit
        self._inbox: deque[Event] | None = None
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._waiters: list[Waiter] | None = None
        self._lingering: EmptyWatch | None = None

    # --- events in ----------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Feed one event to the machine and carry out every effect that follows."""
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(event)
        if self._busy:  # we are inside an effect: the loop below will take it
            return
        self._busy = True
        try:
            while self._inbox:
                self._take(self._inbox.popleft())
        finally:
            self._busy = False
            self._inbox = None
        self._arm()

    def _take(self, event: Event) -> None:
        kit = self._kit
        before = self.process
        self.process, effects = machine.step(before, event, kit.loop.time(), kit.luck())
        for effect in effects:
            self._perform(effect)

    def tune(self, spec: ProcessSpec) -> None:
        """Take over a specification that differs in nothing the child was spawned with."""
        self.spec = spec
        if self.outputs is not None:
            self.outputs.retune(spec)
        self.tell(Retune(spec.policy))

    def renew(self, spec: ProcessSpec) -> None:
        """Take over any specification; there must be no child."""
        assert self.child is None
        if self.outputs is not None:
            self.outputs.close()
            self.outputs = None
        self.spec = spec
        self.tell(Retune(spec.policy))

    @property
    def touched(self) -> bool:
        """Whether anything was ever asked of it."""
        return self.process != Process(self.spec.policy)

    def when(self, waiter: Waiter) -> None:
        """Call ``waiter`` at each change of state until it gives True."""
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)

    def signal(self, number: int) -> bool:
        """Send ``number`` to the child; False if there is none. Raises OSError."""
        if self.child is None:
            return False
        return signals.send(self.child.pid, self.child.pidfd, number)

    def close(self) -> None:
        """Forget everything, and never start again. May be called twice.

        A child that is still there could not be killed: it is left to itself.
        """
        self.tell(Hold())
        if self._lingering is not None:
            self._lingering.close()
            self._lingering = None
        if self.child is not None:
            self._let_go(self.child)
            self.child = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.outputs is not None:
            self.outputs.close()
            self.outputs = None

    # --- effects out --------------------------------------------------------------------

    def _perform(self, effect: machine.Effect) -> None:
        match effect:
            case Spawn():
                self._spawn()
            case Kill(number, group):
                self._kill(number, group=group)
            case Announce():
                self._announce(effect)
            case Looping():
                self._kit.narrator.looping(self.spec, self.last_lines()[1])

    def _spawn(self) -> None:
        assert self._inbox is not None
        kit, spec = self._kit, self.spec
        try:
            if self.outputs is None:
                self.outputs = kit.outputs.make(spec)
            child = kit.spawner.spawn(
                spec,
                self._marks(),
                stdout=wants_pipe(spec.stdout),
                stderr=wants_pipe(spec.stderr),
            )
        except (SpawnError, OSError, ValueError) as error:  # a NUL in a name is a ValueError
            text = str(error)
            kit.narrator.spawn_failed(text)
            self._inbox.appendleft(SpawnFailed(text))
            return
        self.child = child
        self.outputs.attach(child.stdout, child.stderr)
        kit.reaper.watch(child.pid, child.pidfd, self._died)
        kit.narrator.spawned(spec, child.pid)
        self.started_at = kit.clock.wall()
        # The very next event, before anything a subscriber may have said meanwhile.
        self._inbox.appendleft(Spawned(child.pid))

    def _marks(self) -> dict[str, str]:
        return {
            **self._kit.marks,
            **({"SUPERVISOR_SERVER_URL": self.spec.serverurl} if self.spec.serverurl else {}),
            "SUPERVISOR_PROCESS_NAME": self.spec.name,
            "SUPERVISOR_GROUP_NAME": self.spec.group,
        }

    def _kill(self, number: int, *, group: bool) -> None:
        assert self._inbox is not None
        if self.child is None:
            return
        if number == machine.SIGKILL:
            self._kit.narrator.killing(self.spec, self.child.pid)
        try:
            signals.send(self.child.pid, self.child.pidfd, number, group=group)
        except OSError as error:
            text = f"cannot signal pid {self.child.pid}: {os.strerror(error.errno or 0)}"
            self._inbox.appendleft(KillFailed(text))

    def _announce(self, change: Announce) -> None:
        if change.pid is not None and change.new not in machine.ALIVE:
            self.stopped_at = self._kit.clock.wall()
        self._kit.narrator.changed(self.spec, change)
        self._kit.bus.publish(self.spec, change)
        if self._waiters:
            told, self._waiters = self._waiters, []  # who comes meanwhile waits for the next
            self._waiters[:0] = [waiter for waiter in told if not waiter(self, change)]
            if not self._waiters:
                self._waiters = None

    def _arm(self) -> None:
        deadline = self.process.deadline
        if deadline == self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        self._timer = None if deadline is None else self._kit.loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = self._armed = None
        self.tell(Tick())

    # --- the child's end ----------------------------------------------------------------

    def _died(self, status: ExitStatus) -> bool:
        """Hear that the child has ended; hold it while its group must be emptied first."""
        policy = self.process.policy
        whole = policy.stopasgroup or policy.killasgroup
        if not (whole and self.process.state is State.STOPPING):
            self._finish(status)
            return True
        assert self.child is not None
        pid = self.child.pid
        watch = EmptyWatch(
            self._kit.loop,
            pid,
            lambda: self._emptied(pid, status),
            census=self._kit.census,
            use_pidfd=self._kit.use_pidfd,
        )
        # Not within this call: the leader is only held once we have returned.
        self._lingering = watch
        self._kit.loop.call_soon(watch.look)
        return False

    def _emptied(self, pid: int, status: ExitStatus) -> None:
        self._lingering = None
        self._kit.reaper.release(pid)
        self._finish(status)

    def _finish(self, status: ExitStatus) -> None:
        """Put its last words into the log, then tell the machine."""
        child, self.child = self.child, None
        assert child is not None
        if self.outputs is not None:
            self.outputs.drain()
        self._let_go(child)
        self.tell(Exited(status))

    def _let_go(self, child: Child) -> None:
        """Close what we hold of a child, but for its outputs."""
        if child.stdin is not None:
            os.close(child.stdin)
        if child.pidfd is not None:
            self._kit.reaper.forget_fd(child.pidfd)
            os.close(child.pidfd)

    def last_lines(self, count: int = 10) -> tuple[str, list[str]]:
        """Give the channel and the last lines the child wrote, of stderr if there are any."""
        return ("stdout", []) if self.outputs is None else self.outputs.last_lines(count)
