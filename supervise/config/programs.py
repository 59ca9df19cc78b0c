"""One program section into its processes. Nothing is looked up here but through Surroundings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from supervise.config import values
from supervise.config.expand import Names, environment_names, expand_all, varies
from supervise.config.model import EventListener, FcgiProgram, Program
from supervise.config.pairs import pairs
from supervise.config.resolve import oddities, policy, server_url, stderr, stdout
from supervise.config.section import Entry, Findings, Section
from supervise.config.surroundings import Surroundings
from supervise.config.validate import expanded, validated
from supervise.core.spec import ProcessSpec, UserSpec

MODELS: dict[str, type[Program]] = {
    "program": Program,
    "eventlistener": EventListener,
    "fcgi-program": FcgiProgram,
}
_PRIORITY = 999  # of a process; an event listener's -1 is that of its pool alone
MOST_PROCESSES = 100_000  # of one section: a typo must not fill the memory

# Keys in which ENV_X also means what the program itself sets; in all others it does not.
_SEES_OWN = frozenset(
    {"command", "directory", "process_name"}
    | {"stdout_logfile", "stdout_logfile_maxbytes", "stdout_logfile_backups", "stdout_syslog"}
    | {"stderr_logfile", "stderr_logfile_maxbytes", "stderr_logfile_backups", "stderr_syslog"}
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Made:
    """What a section came to. ``model`` is that of its first process."""

    model: Program
    processes: tuple[ProcessSpec, ...]


@dataclass(slots=True)
class ProgramMaker:
    """Makes processes; ``names`` are those that can be expanded in every section."""

    surroundings: Surroundings
    findings: Findings
    names: Names
    environment: dict[str, str]  # of [supervisord]
    log_base: str  # where relative logs of programs start
    strip_ansi: bool
    _shared: dict[object, object] = field(default_factory=dict)
    _parsed: dict[str, dict[str, str]] = field(default_factory=dict)

    def make(self, section: Section, group: str) -> Made | None:
        """Give the processes of ``section`` as members of ``group``, or None after complaining.

        They are in the order in which they start: by priority, then by name.
        """
        try:
            program = values.name(section.own_name)
        except ValueError as error:
            self.findings.problem(section, None, str(error))
            return None
        names = Names(self.names, program_name=program, group_name=group)
        count = self._number(section, "numprocs", 1, names)
        first = self._number(section, "numprocs_start", 0, names)
        if count is None or first is None:
            return None
        objections = list(_objections(section, count))
        for key, text in objections:
            self.findings.problem(section, key, text)
        if objections:
            return None
        if count < 1:
            return _OneSection(self, section, group, names, 1).none_wanted(first)
        return _OneSection(self, section, group, names, count).make(first)

    def parsed(self, environment: str) -> dict[str, str]:
        """Take ``environment=`` apart; the same text is often that of many processes."""
        found = self._parsed.get(environment)
        if found is None:
            found = self._parsed[environment] = pairs(environment)
        return found

    def share(self, value: _T) -> _T:
        """Give the one object that stands for all values equal to ``value``."""
        return self._shared.setdefault(value, value)  # type: ignore[return-value]

    def _number(self, section: Section, key: str, default: int, names: Names) -> int | None:
        if key not in section.entries:
            return default
        value = expanded(section, names, self.findings, keys=[key])
        try:
            return values.integer(value[key]) if key in value else None
        except ValueError as error:
            self.findings.problem(section, key, str(error))
            return None


class _OneSection:
    """The processes of one section in one group."""

    def __init__(
        self, maker: ProgramMaker, section: Section, group: str, names: Names, count: int
    ) -> None:
        self._maker = maker
        self._findings = maker.findings
        self._section = _with_process_name(section, count)
        self._group = group
        self._names = names
        self._count = count
        self._model = MODELS[section.kind]
        entries = self._section.entries
        varying = [key for key, entry in entries.items() if varies(entry.value)]
        self._before = [key for key in varying if key not in _SEES_OWN and key not in _OWN]
        self._after = [key for key in varying if key in _SEES_OWN]
        self._constant = {
            key: entry.value for key, entry in entries.items() if not varies(entry.value)
        }

    def make(self, first: int) -> Made | None:
        made: list[tuple[Program, ProcessSpec]] = []
        for number in range(first, first + self._count):
            one = self._process(number)
            if one is None:
                return None  # the next one would only repeat the complaint
            made.append(one)
        for key, text in oddities(made[0][0]):
            self._findings.warning(self._section, key, text)
        processes = sorted((spec for _, spec in made), key=lambda spec: (spec.priority, spec.name))
        return Made(made[0][0], tuple(processes))

    def none_wanted(self, first: int) -> Made:
        """Look at the section all the same; supervisord would not, so a problem is a warning."""
        problems = len(self._findings.problems)
        one = self._process(first)
        self._findings.warnings += self._findings.problems[problems:]
        del self._findings.problems[problems:]
        return Made(self._model.model_construct(command="") if one is None else one[0], ())

    def _process(self, number: int) -> tuple[Program, ProcessSpec] | None:
        names = Names(self._names, process_num=number, numprocs=self._count)
        before = expanded(self._section, names, self._findings, keys=self._before)
        own = self._own_environment(names)
        if own is None:
            validated(self._section, self._model, self._constant, self._findings)
            return None
        names.update(environment_names(own))
        after = expanded(self._section, names, self._findings, keys=self._after)
        given = {**self._constant, **before, **after, "environment": own}
        model = validated(self._section, self._model, given, self._findings)
        if model is None:
            return None
        user = self._user(model)
        return model, self._spec(model, user, self._maker.environment | own)

    def _own_environment(self, names: Names) -> dict[str, str] | None:
        """Give what the section itself sets: its file, then ``environment`` over it."""
        own: dict[str, str] = {}
        for key, read in _OWN.items():
            entry = self._section.entries.get(key)
            if entry is None:
                continue
            names["here"] = entry.here
            try:
                own |= read(self._maker, expand_all(entry.value, names), entry.here)
            except ValueError as error:
                self._findings.problem(self._section, key, str(error))
                return None
            names.update(environment_names(own))
        return own

    def _user(self, model: Program) -> UserSpec | None:
        if model.user is None:
            return None
        try:
            return self._maker.surroundings.accounts.user(model.user)
        except ValueError as error:
            self._findings.problem(self._section, "user", str(error))
            return None

    def _spec(
        self, model: Program, user: UserSpec | None, environment: dict[str, str]
    ) -> ProcessSpec:
        share = self._maker.share
        explicit = "priority" in model.model_fields_set
        return ProcessSpec(
            name=model.process_name,
            group=self._group,
            program=self._section.own_name,
            command=model.command,
            policy=share(policy(model)),
            autostart=model.autostart,
            priority=model.priority if explicit else _PRIORITY,
            directory=model.directory or None,
            umask=model.umask,
            user=user,
            environment=share(tuple(environment.items())),
            stdout=share(stdout(model, self._absolute)),
            stderr=share(stderr(model, self._absolute)),
            redirect_stderr=model.redirect_stderr,
            strip_ansi=self._maker.strip_ansi,
            serverurl=server_url(model),
        )

    def _absolute(self, logfile: str) -> str:
        return self._maker.surroundings.absolute(logfile, self._maker.log_base)


def _objections(section: Section, count: int) -> Iterator[tuple[str, str]]:
    """Give key and text of what speaks against making ``count`` processes."""
    if count > MOST_PROCESSES:
        yield "numprocs", f"{count} processes are too many; at most {MOST_PROCESSES}"
    pattern = section.entries.get("process_name")
    if count > 1 and pattern is not None and "%(process_num)" not in str(pattern.value):
        text = "%(process_num) must be present within process_name when numprocs > 1"
        yield "process_name", f"{text}, not {pattern.value!r}"


def _with_process_name(section: Section, count: int) -> Section:
    """Give several processes different names, unless the user has a pattern of his own."""
    if "process_name" in section.entries:
        return section
    pattern = "%(program_name)s" if count == 1 else "%(program_name)s_%(process_num)02d"
    entry = Entry(pattern, section.file, section.line, "")
    return replace(section, entries={**section.entries, "process_name": entry})


def _read_env_file(maker: ProgramMaker, value: object, here: str) -> dict[str, str]:
    return maker.surroundings.env_files.read(
        maker.surroundings.absolute(values.plain(value), base=here)
    )


def _read_environment(maker: ProgramMaker, value: object, _: str) -> dict[str, str]:
    if not isinstance(value, str):
        return pairs(value)
    return maker.parsed(value)


_OWN: dict[str, Callable[[ProgramMaker, object, str], dict[str, str]]] = {
    "env_file": _read_env_file,
    "environment": _read_environment,
}
