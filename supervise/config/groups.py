"""Who belongs together: groups of their own, groups put together, listener pools, fcgi groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from supervise.config import values
from supervise.config.expand import Names
from supervise.config.explain import did_you_mean
from supervise.config.model import EventListener, FcgiProgram, Group
from supervise.config.programs import MODELS, Made, ProgramMaker
from supervise.config.section import Section
from supervise.config.validate import Known, expanded, validated
from supervise.core.spec import (
    FcgiSpec,
    GroupKind,
    GroupSpec,
    ListenerSpec,
    ProcessSpec,
)

# Source: Supervisor 4.3, events.EventTypes.
EVENTS = frozenset(
    """
    EVENT PROCESS_STATE PROCESS_STATE_STOPPED PROCESS_STATE_EXITED PROCESS_STATE_STARTING
    PROCESS_STATE_STOPPING PROCESS_STATE_BACKOFF PROCESS_STATE_FATAL PROCESS_STATE_RUNNING
    PROCESS_STATE_UNKNOWN PROCESS_COMMUNICATION PROCESS_COMMUNICATION_STDOUT
    PROCESS_COMMUNICATION_STDERR PROCESS_LOG PROCESS_LOG_STDOUT PROCESS_LOG_STDERR
    REMOTE_COMMUNICATION SUPERVISOR_STATE_CHANGE SUPERVISOR_STATE_CHANGE_RUNNING
    SUPERVISOR_STATE_CHANGE_STOPPING TICK TICK_5 TICK_60 TICK_3600 PROCESS_GROUP
    PROCESS_GROUP_ADDED PROCESS_GROUP_REMOVED
    """.split()  # noqa: SIM905 - thirty strings in quotes are harder to read
)


class GroupMaker:
    """Turns the sections of programs into groups; a name can be given once."""

    def __init__(self, known: Known, maker: ProgramMaker) -> None:
        self._known = known
        self._programs: dict[tuple[str, str], Section] = {
            (kind, section.own_name): section for kind in MODELS for section in known[kind]
        }
        self._maker = maker
        self._findings = maker.findings
        self._taken: dict[str, Section] = {}
        self._members: set[str] = set()  # sections that lost their own group to another

    def make(self) -> tuple[GroupSpec, ...]:
        """Give every group, sorted as they start: by priority, then by name."""
        groups = [
            *self._each("group", self._put_together),
            *self._each("program", self._homogeneous),
            *self._each("eventlistener", self._pool),
            *self._each("fcgi-program", self._fcgi),
        ]
        return tuple(sorted(groups, key=lambda group: (group.priority, group.name)))

    def _each(self, kind: str, make: Callable[[Section], GroupSpec | None]) -> Iterator[GroupSpec]:
        for section in self._known[kind]:
            if section.name in self._members:
                continue
            group = make(section)
            if group is not None and self._take(section):
                yield group

    def _take(self, section: Section) -> bool:
        """Refuse a name that is taken; supervisord would let the last one win, in silence."""
        first = self._taken.setdefault(section.own_name, section)
        if first is not section:
            text = f"the name {section.own_name} is taken by {first.title} at {first.place}"
            self._findings.problem(section, None, text)
        return first is section

    def _put_together(self, section: Section) -> GroupSpec | None:
        given = expanded(section, Names(self._maker.names), self._findings)
        model = validated(section, Group, given, self._findings)
        name = self._name(section)
        if model is None or name is None:
            return None
        if not model.programs:
            self._findings.warning(section, "programs", "nothing is listed: the group is empty")
        members = [self._member(section, program) for program in dict.fromkeys(model.programs)]
        sections = [member for member in members if member is not None]
        made = [self._maker.make(member, name) for member in sections]
        processes = [spec for one in made if one is not None for spec in one.processes]
        return GroupSpec(
            name=name,
            priority=model.priority,
            processes=self._all_different(section, "programs", processes),
            kind=GroupKind.GROUP,
            sources=_sources([section, *sections]),
        )

    def _member(self, group: Section, program: str) -> Section | None:
        candidates = [
            found
            for kind in ("program", "fcgi-program")
            if (found := self._programs.get((kind, program))) is not None
        ]
        match candidates:
            case [section]:
                self._members.add(section.name)
                return section
            case []:
                self._findings.problem(group, "programs", self._no_such_program(program))
            case _:
                text = f"name {program} is ambiguous (exists as program and fcgi-program)"
                self._findings.problem(group, "programs", text)
        return None

    def _no_such_program(self, program: str) -> str:
        text = f"names unknown program or fcgi-program {program}"
        if ("eventlistener", program) in self._programs:
            return f"{text}; an event listener cannot be in a group"
        names = [name for kind, name in self._programs if kind != "eventlistener"]
        return text + did_you_mean(program, names)

    def _homogeneous(self, section: Section) -> GroupSpec | None:
        made = self._maker.make(section, section.own_name)
        return None if made is None else self._group(section, made, GroupKind.PROGRAM)

    def _pool(self, section: Section) -> GroupSpec | None:
        made = self._maker.make(section, section.own_name)
        if made is None or not isinstance(made.model, EventListener):
            return None
        events = sorted({event.upper() for event in made.model.events})
        for event in events:
            if event not in EVENTS:
                text = f"Unknown event type {event}{did_you_mean(event, EVENTS)}"
                self._findings.problem(section, "events", text)
        if not events:
            self._findings.problem(section, "events", 'the section requires an "events" line')
        listener = ListenerSpec(tuple(events), made.model.buffer_size, made.model.result_handler)
        return replace(self._group(section, made, GroupKind.EVENTLISTENER), listener=listener)

    def _fcgi(self, section: Section) -> GroupSpec | None:
        made = self._maker.make(section, section.own_name)
        if made is None or not isinstance(made.model, FcgiProgram):
            return None
        fcgi = self._fcgi_spec(section, made.model)
        return replace(self._group(section, made, GroupKind.FCGI), fcgi=fcgi)

    def _fcgi_spec(self, section: Section, model: FcgiProgram) -> FcgiSpec:
        surroundings = self._maker.surroundings
        uid = gid = None
        try:
            if model.socket_owner is not None:
                uid, gid = surroundings.accounts.owner(model.socket_owner)
            elif model.user is not None and model.socket.startswith("unix:"):
                user = surroundings.accounts.user(model.user)
                if user.uid != surroundings.uid:
                    uid, gid = user.uid, user.gid
        except ValueError as error:
            self._findings.problem(section, "socket_owner", str(error))
        mode = 0o700 if model.socket_mode is None else model.socket_mode
        return FcgiSpec(model.socket, model.socket_backlog, uid, gid, mode)

    def _group(self, section: Section, made: Made, kind: GroupKind) -> GroupSpec:
        return GroupSpec(
            name=section.own_name,
            priority=made.model.priority,
            processes=self._all_different(section, "process_name", made.processes),
            kind=kind,
            sources=_sources([section]),
        )

    def _name(self, section: Section) -> str | None:
        try:
            return values.name(section.own_name)
        except ValueError as error:
            self._findings.problem(section, None, str(error))
            return None

    def _all_different(
        self, section: Section, key: str, processes: Iterable[ProcessSpec]
    ) -> tuple[ProcessSpec, ...]:
        named: dict[str, ProcessSpec] = {}
        for spec in processes:
            first = named.setdefault(spec.name, spec)
            if first is not spec:
                whose = dict.fromkeys([first.program, spec.program])
                text = f"two processes of one name: {spec.name} (of {' and '.join(whose)})"
                self._findings.problem(section, key, text)
        return tuple(named.values())


def _sources(sections: Iterable[Section]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for section in sections for path in section.paths))
