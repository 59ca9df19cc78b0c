"""What must happen to get from one plan to another, process by process.

Pure. Supervisor restarts a whole group for any change of one member; here a process is
restarted only if what it was spawned with changed, and everything else is applied to it
while it runs. The words of ``reread`` are kept: a group is available, changed or gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from supervise.core.spec import FcgiSpec, GroupKind, GroupSpec, OutputSpec, Policy, ProcessSpec

_LIVE = {"policy": Policy(), "autostart": True, "priority": 0, "program": "", "strip_ansi": False}
_NOBODY = OutputSpec(logfile=None)


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One group that is in both plans and differs.

    ``renew`` were spawned with something that is no longer true; ``retune`` go on
    running and learn what changed; ``add`` and ``drop`` are single members.
    """

    old: GroupSpec
    new: GroupSpec
    add: tuple[ProcessSpec, ...] = ()
    drop: tuple[ProcessSpec, ...] = ()
    renew: tuple[ProcessSpec, ...] = ()
    retune: tuple[ProcessSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """Names in the order in which they are reported; ``changed`` by group."""

    added: tuple[GroupSpec, ...] = ()
    removed: tuple[GroupSpec, ...] = ()
    changed: tuple[GroupChange, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.changed)


def compare(old: Iterable[GroupSpec], new: Iterable[GroupSpec]) -> Diff:
    """Say how to get from the groups ``old`` to ``new``."""
    before = {group.name: group for group in old}
    after = {group.name: group for group in new}
    return Diff(
        added=tuple(group for name, group in after.items() if name not in before),
        removed=tuple(group for name, group in before.items() if name not in after),
        changed=tuple(
            change(before[name], group)
            for name, group in after.items()
            if name in before and before[name] != group
        ),
    )


def change(old: GroupSpec, new: GroupSpec) -> GroupChange:
    """Say what becomes of each member of a group that differs."""
    before = {process.name: process for process in old.processes}
    after = {process.name: process for process in new.processes}
    if _plumbing(old) != _plumbing(new):
        return GroupChange(old, new, add=new.processes, drop=old.processes)
    both = [(before[name], spec) for name, spec in after.items() if name in before]
    return GroupChange(
        old,
        new,
        add=tuple(spec for name, spec in after.items() if name not in before),
        drop=tuple(spec for name, spec in before.items() if name not in after),
        renew=tuple(now for was, now in both if _spawned_with(was) != _spawned_with(now)),
        retune=tuple(
            now for was, now in both if was != now and _spawned_with(was) == _spawned_with(now)
        ),
    )


def keep(
    old: Mapping[str, GroupSpec], new: Iterable[GroupSpec], dangling: Iterable[str]
) -> tuple[GroupSpec, ...]:
    """Give ``new`` and those of ``old`` whose file is for the moment a link to nowhere."""
    lost = frozenset(dangling)
    groups = tuple(new)
    known = {group.name for group in groups}
    return groups + tuple(
        group
        for name, group in old.items()
        if name not in known and not lost.isdisjoint(group.sources)
    )


def _plumbing(group: GroupSpec) -> tuple[bool, FcgiSpec | None]:
    """Give what decides on a child's stdin and stdout besides its own specification.

    A program that gets a ``[group:x]`` of its own name is the same to its children.
    """
    return group.kind is GroupKind.EVENTLISTENER, group.fcgi


def _spawned_with(spec: ProcessSpec) -> ProcessSpec:
    """Give ``spec`` with everything blanked that a running child need not be told."""
    return replace(
        spec,
        **_LIVE,  # type: ignore[arg-type] # fields by name
        environment=tuple(sorted(spec.environment)),
        stdout=_blank(spec.stdout),
        stderr=_blank(_NOBODY if spec.redirect_stderr else spec.stderr),
    )


def _blank(output: OutputSpec) -> OutputSpec:
    """Only whether the child writes into a pipe or into nothing needs another child."""
    return OutputSpec(logfile="pipe" if wants_pipe(output) else None)


def wants_pipe(output: OutputSpec) -> bool:
    """Whether anybody reads this stream; if not, the child writes to /dev/null."""
    return bool(output.logfile or output.capture_maxbytes or output.events_enabled or output.syslog)
