"""Getting from the groups there are to the groups there should be, one group at a time.

Each group converges under a lock of its own, so a slow stop of one delays no other, and
two updates of the same one do its work once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from supervise.core import diff
from supervise.core.diff import Diff, GroupChange
from supervise.core.machine import RUNNING_STATES, Hold, Start, State, Stop
from supervise.core.spec import GroupSpec, Plan
from supervise.daemon.process import Runner
from supervise.daemon.registry import Group, Registry
from supervise.daemon.waiting import stopped
from supervise.errors import Fault, Refusal


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What became of one group: "stopped", "removed", "updated", "added", or a Fault's name."""

    group: str
    code: str
    text: str = ""


class Reload:
    """Applies plans to the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._locks: dict[str, asyncio.Lock] = {}

    def compare(self, plan: Plan) -> Diff:
        """Say what ``plan`` would change, with what dangling links keep alive."""
        old = {name: group.spec for name, group in self._registry.groups.items()}
        return diff.compare(old.values(), diff.keep(old, plan.groups, plan.dangling))

    async def apply(self, changes: Diff, only: Iterable[str] = ()) -> AsyncIterator[GroupResult]:
        """Do what ``changes`` says, to the groups ``only`` if any are named.

        Order as upstream: what goes, what changes, what comes; within each all at once.
        """
        chosen = set(only)
        phases: list[list[tuple[str, GroupSpec | None]]] = [
            [(group.name, None) for group in changes.removed],
            [(change.new.name, change.new) for change in changes.changed],
            [(group.name, group) for group in changes.added],
        ]
        for phase in phases:
            wanted = [(name, spec) for name, spec in phase if not chosen or name in chosen]
            async for result in self._together(wanted):
                yield result

    async def _together(
        self, wanted: list[tuple[str, GroupSpec | None]]
    ) -> AsyncIterator[GroupResult]:
        """Converge all of ``wanted`` at once; give results as they come.

        The work goes on to its end even if nobody listens any more.
        """
        results: asyncio.Queue[GroupResult | None] = asyncio.Queue()
        tasks = [
            asyncio.ensure_future(self._converge(name, spec, results)) for name, spec in wanted
        ]
        for _ in tasks:
            while (result := await results.get()) is not None:
                yield result
        for task in tasks:
            await task

    async def _converge(
        self, name: str, spec: GroupSpec | None, results: asyncio.Queue[GroupResult | None]
    ) -> None:
        """Make one group what it should be; whatever it is by now is looked at here."""
        try:
            async with self._locks.setdefault(name, asyncio.Lock()):
                group = self._registry.groups.get(name)
                if group is None and spec is not None:
                    self.add(spec)
                    results.put_nowait(GroupResult(name, "added"))
                elif group is not None and spec is None:
                    await self._remove(group, results)
                elif group is not None and spec is not None and group.spec != spec:
                    await self._change(group, diff.change(group.spec, spec), results)
        except Refusal as problem:
            results.put_nowait(GroupResult(name, problem.fault.name, problem.text))
        finally:
            results.put_nowait(None)

    def add(self, spec: GroupSpec) -> None:
        """Take a group in and start what starts by itself, lowest priority number first."""
        group = self._registry.add(spec)
        for runner in sorted(group.runners.values(), key=lambda runner: runner.spec.priority):
            if runner.spec.autostart:
                runner.tell(Start())

    async def _remove(self, group: Group, results: asyncio.Queue[GroupResult | None]) -> None:
        runners = list(group.runners.values())
        await _stop_all(runners, runners)
        results.put_nowait(GroupResult(group.spec.name, "stopped"))
        if self._is_there(group):
            self._registry.remove(group.spec.name)
        results.put_nowait(GroupResult(group.spec.name, "removed"))

    async def _change(
        self, group: Group, change: GroupChange, results: asyncio.Queue[GroupResult | None]
    ) -> None:
        for spec in change.retune:
            group.runners[spec.name].tune(spec)
        dropped = [group.runners[spec.name] for spec in change.drop]
        renewed = [group.runners[spec.name] for spec in change.renew]
        start = {spec.name for spec in change.add if spec.autostart}
        start |= {runner.spec.name for runner in renewed if _was_wanted(runner)}
        if await _stop_all(dropped, [*dropped, *renewed]):
            results.put_nowait(GroupResult(change.new.name, "stopped"))
        if not self._is_there(group):
            raise Refusal(Fault.FAILED, f"{group.spec.name} was removed meanwhile")
        for runner in dropped:
            runner.close()
            group.runners.pop(runner.spec.name, None)
        for spec in change.renew:
            group.runners[spec.name].renew(spec)
        for spec in change.add:
            self._registry.add_process(group, spec)
        group.spec = change.new
        for spec in change.new.processes:
            if spec.name in start:
                group.runners[spec.name].tell(Start())
        results.put_nowait(GroupResult(change.new.name, "updated"))

    def _is_there(self, group: Group) -> bool:
        """Whether nobody removed ``group`` while we waited: what it starts would be nobody's."""
        return self._registry.groups.get(group.spec.name) is group


def _was_wanted(runner: Runner) -> bool:
    """Whether a renewed process should run again: not what an operator stopped."""
    process = runner.process
    if process.state in RUNNING_STATES or process.restart_pending:
        return True
    return runner.spec.autostart and process.state in (State.FATAL, State.EXITED)


async def _stop_all(held: Iterable[Runner], runners: Iterable[Runner]) -> list[Runner]:
    """Stop ``runners`` and wait; those of ``held`` never start again. Gives which had run.

    Raises Refusal if one cannot be signalled: what still runs must not be forgotten.
    """
    for runner in held:
        runner.tell(Hold())
    everyone = list(runners)
    for runner in everyone:
        runner.tell(Stop())
    ran: list[Runner] = []
    # An operator may start one again while we wait for the others.
    while stopping := [runner for runner in everyone if runner.child is not None]:
        ran.extend(stopping)
        for runner in stopping:
            runner.tell(Stop())
            if not await stopped(runner):
                raise Refusal(Fault.FAILED, f"{runner.name}: {runner.process.reason}")
    return ran
