"""The process table: which groups there are and which process answers to which name."""

from __future__ import annotations

from collections.abc import Iterator

from supervise import names
from supervise.core.machine import Hold
from supervise.core.spec import GroupSpec, ProcessSpec
from supervise.daemon.process import Kit, Runner
from supervise.names import ProcessName


class Group:
    """One group and its runners, in the order of its specification."""

    def __init__(self, spec: GroupSpec, kit: Kit) -> None:
        self.spec = spec
        self.runners = {process.name: Runner(process, kit) for process in spec.processes}


class Registry:
    """All groups by name."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._held = False
        self.groups: dict[str, Group] = {}

    def hold(self) -> None:
        """Start nothing any more: neither what there is nor what comes."""
        self._held = True
        for runner in self:
            runner.tell(Hold())

    def add(self, spec: GroupSpec) -> Group:
        """Take a group in; its processes are STOPPED."""
        group = self.groups[spec.name] = Group(spec, self._kit)
        if self._held:
            self.hold()
        return group

    def remove(self, name: str) -> None:
        """Forget a group whose processes have no children left."""
        for runner in self.groups.pop(name).runners.values():
            runner.close()

    def add_process(self, group: Group, spec: ProcessSpec) -> Runner:
        """Take one more process into a group; it is STOPPED."""
        runner = group.runners[spec.name] = Runner(spec, self._kit)
        if self._held:
            runner.tell(Hold())
        return runner

    def __iter__(self) -> Iterator[Runner]:
        for group in self.groups.values():
            yield from group.runners.values()

    def __len__(self) -> int:
        return sum(len(group.runners) for group in self.groups.values())

    def sorted(self) -> list[Runner]:
        """Give all runners as status shows them: by group name, then process name."""
        return sorted(self, key=lambda runner: runner.name)

    def by_priority(self) -> list[Runner]:
        """Give all runners as commands go through them: by priority, then name."""
        return sorted(self, key=lambda runner: (self._priority(runner), runner.name))

    def _priority(self, runner: Runner) -> tuple[int, str, int]:
        group = self.groups[runner.name.group].spec
        return group.priority, group.name, runner.spec.priority

    def find(self, name: ProcessName) -> Runner | None:
        group = self.groups.get(name.group)
        return None if group is None else group.runners.get(name.process)

    def select(self, text: str, runners: list[Runner]) -> list[Runner]:
        """Give those of ``runners`` that ``text`` means, in their order."""
        wanted = names.parse(text)
        if not wanted.is_pattern and wanted.process is not None and text != "all":
            found = self.find(ProcessName(wanted.group, wanted.process))
            return [] if found is None else [found]
        chosen = set(names.select(text, [runner.name for runner in runners]))
        return [runner for runner in runners if runner.name in chosen]
