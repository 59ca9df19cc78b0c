"""Every command a client may give, once: native frames and XML-RPC only translate.

Each command is an async iterator of results, given as they settle. It is on its way when
the first result is asked for, and goes on to its end in a task of its own: a client that
hangs up only stops listening. Words and faults: Supervisor 4.3, ``rpcinterface.py``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from supervise.clock import Clock
from supervise.core.machine import RUNNING_STATES, Start, State, Stop
from supervise.core.spec import Plan
from supervise.daemon import selection
from supervise.daemon.narrate import Narrator
from supervise.daemon.pending import (
    Pending,
    Result,
    done,
    refused,
    spawned,
    start_settled,
    stop_settled,
    stoppable,
)
from supervise.daemon.process import Runner
from supervise.daemon.reading import Reader
from supervise.daemon.registry import Registry
from supervise.daemon.reload import GroupResult, Reload
from supervise.daemon.waiting import Breath
from supervise.errors import ConfigError, Fault, Refusal, SpawnError
from supervise.names import ProcessName
from supervise.unix import signals
from supervise.unix.spawn import Spawner

P = ParamSpec("P")
T = TypeVar("T")


def to_its_end(
    command: Callable[Concatenate[Service, P], AsyncIterator[T]],
) -> Callable[Concatenate[Service, P], AsyncIterator[T]]:
    """Make ``command`` go on to its end once it has begun, whoever stops listening."""

    @wraps(command)
    def carried_out(self: Service, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return self.carry_out(command(self, *args, **kwargs))

    return carried_out


class Service:
    """The commands, carried out on the registry."""

    def __init__(
        self,
        registry: Registry,
        *,
        reload: Reload,
        reader: Reader,
        spawner: Spawner,
        clock: Clock,
        plan: Plan,
        narrator: Narrator,
    ) -> None:
        self.registry = registry
        self.clock = clock
        self.plan = plan  # of the last reading; what runs may be older
        self.stopping: str | None = None  # "SHUTDOWN" or "RESTARTING" once it is
        self._reload = reload
        self._reader = reader
        self._spawner = spawner
        self._narrator = narrator
        self._works: set[asyncio.Task[None]] = set()  # that go on, with or without a listener

    async def carry_out(self, work: AsyncIterator[T]) -> AsyncIterator[T]:
        """Give the results of ``work``, which a task of ours does. Raises Refusal."""
        results: asyncio.Queue[tuple[T] | Refusal | None] = asyncio.Queue()

        async def go() -> None:
            try:
                async for result in work:
                    results.put_nowait((result,))
            except Refusal as refusal:
                results.put_nowait(refusal)
            finally:
                results.put_nowait(None)

        task = asyncio.ensure_future(go())
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        while (result := await results.get()) is not None:
            if isinstance(result, Refusal):
                raise result
            yield result[0]
        await task

    # --- processes ----------------------------------------------------------------------

    @to_its_end
    async def start(self, wanted: Iterable[str], *, wait: bool = True) -> AsyncIterator[Result]:
        """Start processes; those of a group that run already are passed over in silence."""
        self._refuse_when_stopping()
        runners, wrong, _ = selection.concerned(
            self.registry, wanted, lambda runner: not _running(runner)
        )
        for result in wrong:
            yield result
        pending, breath = Pending(start_settled), Breath()
        for runner in runners:
            self._start(runner, pending, wait=wait)
            await breath.take()
        async for result in pending:
            yield result

    def _start(self, runner: Runner, pending: Pending, *, wait: bool) -> None:
        """Have one process started, now or once it has stopped."""
        state = runner.process.state
        if _running(runner):
            pending.give(refused(runner, Fault.ALREADY_STARTED))
        elif state is State.UNKNOWN:
            pending.give(refused(runner, Fault.FAILED, f"{runner.name} is in an unknown state"))
        elif runner.process.held:
            pending.give(_leaving(runner))
        elif state is State.STOPPING:
            pending.expect(runner, then=lambda: self._start_now(runner, pending))
        elif (problem := self._cannot_spawn(runner)) is not None:
            pending.give(problem)
        elif wait:
            pending.expect(runner)
            self._start_now(runner, pending)
        else:
            runner.tell(Start())
            pending.give(spawned(runner))

    def _start_now(self, runner: Runner, pending: Pending) -> None:
        runner.tell(Start())
        if not pending.settled(runner) and runner.process.state is not State.STARTING:
            pending.drop(runner, _leaving(runner))

    def _cannot_spawn(self, runner: Runner) -> Result | None:
        """Say what is wrong with the command, before anything is disturbed."""
        try:
            self._spawner.resolve(runner.spec)
        except SpawnError as error:
            return refused(runner, error.fault, error.text, hint=(error.text,))
        return None

    @to_its_end
    async def stop(self, wanted: Iterable[str], *, wait: bool = True) -> AsyncIterator[Result]:
        """Stop processes; those of a group that do not run are passed over in silence."""
        self._refuse_when_stopping()
        runners, wrong, _ = selection.concerned(self.registry, wanted, stoppable)
        for result in wrong:
            yield result
        pending = Pending(stop_settled)
        for runner in runners:
            self._stop(runner, pending, wait=wait)
        async for result in pending:
            yield result

    def _stop(self, runner: Runner, pending: Pending, *, wait: bool) -> None:
        if not stoppable(runner):
            pending.give(refused(runner, Fault.NOT_RUNNING))
            return
        if wait:
            pending.expect(runner)
        runner.tell(Stop())
        if not wait:
            pending.give(done(runner, "stopped"))

    @to_its_end
    async def restart(self, wanted: Iterable[str], *, wait: bool = True) -> AsyncIterator[Result]:
        """Stop and start: each process starts as soon as it has stopped."""
        self._refuse_when_stopping()
        runners, wrong, single = selection.concerned(self.registry, wanted, lambda _: True)
        for result in wrong:
            yield result
        stops, starts = Pending(stop_settled), Pending(start_settled)
        for runner in runners:
            if stoppable(runner):
                stops.expect(runner)
                runner.tell(Stop())
            elif runner.name in single:
                stops.give(refused(runner, Fault.NOT_RUNNING))
            else:
                self._start(runner, starts, wait=wait)
        by_name = {runner.name: runner for runner in runners}
        async for result in stops:
            yield result
            assert result.process is not None
            runner = by_name[ProcessName(result.group, result.process)]
            self._start(runner, starts, wait=wait)
            for ready in starts.ready():
                yield ready
        async for result in starts:
            yield result

    @to_its_end
    async def signal(self, signal: str | int, wanted: Iterable[str]) -> AsyncIterator[Result]:
        """Send a signal to processes that run."""
        self._refuse_when_stopping()
        runners, wrong, _ = selection.concerned(
            self.registry, wanted, lambda runner: runner.child is not None
        )
        for result in wrong:
            yield result
        number = signals.number_of(signal)
        for runner in runners:
            yield self._signal(runner, number, str(signal))

    def _signal(self, runner: Runner, number: int | None, text: str) -> Result:
        if number is None:
            return refused(runner, Fault.BAD_SIGNAL, text)
        try:
            sent = runner.signal(number)
        except OSError as error:
            return refused(runner, Fault.FAILED, os.strerror(error.errno or 0))
        return done(runner, "signalled") if sent else refused(runner, Fault.NOT_RUNNING)

    @to_its_end
    async def clear(self, wanted: Iterable[str]) -> AsyncIterator[Result]:
        """Empty log files, of stopped processes too."""
        self._refuse_when_stopping()
        runners, wrong, _ = selection.concerned(self.registry, wanted, lambda _: True)
        for result in wrong:
            yield result
        for runner in runners:
            try:
                if runner.outputs is not None:
                    runner.outputs.clear()
            except OSError as error:
                yield refused(runner, Fault.FAILED, os.strerror(error.errno or 0))
            else:
                yield done(runner, "cleared")

    def find(self, text: str) -> Runner:
        """Give the one process that ``text`` names. Raises Refusal(BAD_NAME)."""
        self._refuse_when_stopping()
        return selection.one(self.registry, text)

    def look(self, wanted: Iterable[str]) -> tuple[list[Runner], list[Result]]:
        """Give the processes that are meant, as status shows them, and the bad names."""
        self._refuse_when_stopping()
        return selection.shown(self.registry, wanted)

    # --- groups -------------------------------------------------------------------------

    async def reread(self) -> list[GroupResult]:
        """Read the files; say what an update would do. Raises Refusal(CANT_REREAD)."""
        self._refuse_when_stopping()
        changes = self._reload.compare(await self._read())
        found = [
            *(GroupResult(group.name, "available") for group in changes.added),
            *(GroupResult(change.new.name, "changed") for change in changes.changed),
            *(GroupResult(group.name, "disappeared") for group in changes.removed),
        ]
        return sorted(found, key=lambda result: result.group)

    @to_its_end
    async def update(self, only: Iterable[str] = ()) -> AsyncIterator[GroupResult]:
        """Read the files and make it so, for the groups ``only`` if any are named."""
        self._refuse_when_stopping()
        plan = await self._read()
        changes = self._reload.compare(plan)
        chosen = [] if "all" in (names := list(only)) else names
        known = {group.name for group in plan.groups} | set(self.registry.groups)
        for name in chosen:
            if name not in known:
                yield GroupResult(name, Fault.BAD_NAME.name)
        if chosen and not known.intersection(chosen):
            return
        async for result in self._reload.apply(changes, chosen):
            yield result

    async def _read(self) -> Plan:
        before = self.plan
        try:
            self.plan = await self._reader.read()
        except ConfigError as error:
            raise Refusal(Fault.CANT_REREAD, "\n".join(error.problems)) from error
        self._narrator.reading(self.plan, before)
        return self.plan

    @to_its_end
    async def add(self, groups: Iterable[str]) -> AsyncIterator[GroupResult]:
        """Take groups of the last reading in."""
        self._refuse_when_stopping()
        known = {group.name: group for group in self.plan.groups}
        for name in groups:
            if name in self.registry.groups:
                yield GroupResult(name, Fault.ALREADY_ADDED.name)
            elif name not in known:
                yield GroupResult(name, Fault.BAD_NAME.name)
            else:
                self._reload.add(known[name])
                yield GroupResult(name, "added")

    @to_its_end
    async def remove(self, groups: Iterable[str]) -> AsyncIterator[GroupResult]:
        """Forget groups that have stopped."""
        self._refuse_when_stopping()
        for name in groups:
            group = self.registry.groups.get(name)
            if group is None:
                yield GroupResult(name, Fault.BAD_NAME.name)
            elif any(_busy(runner) for runner in group.runners.values()):
                yield GroupResult(name, Fault.STILL_RUNNING.name)
            else:
                self.registry.remove(name)
                yield GroupResult(name, "removed")

    def _refuse_when_stopping(self) -> None:
        if self.stopping is not None:
            raise Refusal(Fault.SHUTDOWN_STATE)


def _leaving(runner: Runner) -> Result:
    return refused(runner, Fault.FAILED, "it is being removed")


def _busy(runner: Runner) -> bool:
    return runner.child is not None or stoppable(runner)


def _running(runner: Runner) -> bool:
    return runner.process.state in RUNNING_STATES
