"""A Plan as lines of text and back: how it travels from the reader of files to the daemon.

Pure. What many processes have in common (policy, outputs, user, environment) is sent
once and is one object afterwards, so that 1,000 processes weigh little. Each line is
a JSON array whose first item says what it is; a table's lines stand before the first
line that refers to them; ``["end"]`` proves that nothing is missing. A line that is an
object, ``{"problems": [...]}``, means that there is no plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import fields
from sys import intern
from typing import Any

from supervise.core.spec import (
    AutoRestart,
    Backoff,
    DaemonSpec,
    FcgiSpec,
    GroupKind,
    GroupSpec,
    ListenerSpec,
    OutputSpec,
    Plan,
    Policy,
    ProcessSpec,
    ServerSpec,
    Source,
    UserSpec,
)
from supervise.errors import ConfigError

FORMAT = 1

_Row = list[Any]
_Environment = tuple[tuple[str, str], ...]

# Columns that hold the place of a shared value in its table.
_SHARED = {
    "policy": "policy",
    "stdout": "output",
    "stderr": "output",
    "user": "user",
    "environment": "environment",
}
_NAMES: dict[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (
        DaemonSpec,
        FcgiSpec,
        ListenerSpec,
        OutputSpec,
        Policy,
        ProcessSpec,
        ServerSpec,
        Source,
        UserSpec,
    )
}


def encode(plan: Plan) -> Iterator[str]:
    """Give ``plan`` as lines without their newlines, in plain ASCII."""
    encoder = _Encoder()
    yield _line("plan", FORMAT)
    yield from encoder.with_shared("daemon", plan.daemon)
    for server in plan.servers:
        yield _line("server", *_row(server))
    for group in plan.groups:
        yield _line("group", *_group_row(group))
        for process in group.processes:
            yield from encoder.with_shared("process", process)
    yield _line("warnings", *plan.warnings)
    yield _line("notes", *plan.notes)
    yield _line("sources", *map(_row, plan.sources))
    yield _line("dangling", *plan.dangling)
    yield _line("end")


def encode_problems(problems: Sequence[str], warnings: Sequence[str] = ()) -> str:
    """Give the one line that says why there is no plan."""
    return json.dumps({"problems": list(problems), "warnings": list(warnings)})


def decode(lines: Iterable[str]) -> Plan:
    """Put a Plan together again.

    Raises:
        ConfigError: the lines say what is wrong with the configuration, or they
            are not those of a whole plan (the reader was killed, say).
    """
    decoder = _Decoder()
    try:
        for line in lines:
            decoder.take(json.loads(line))
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ConfigError(["the reader of the configuration sent something strange"]) from error
    if not decoder.ended:
        raise ConfigError(["the reader of the configuration ended before it was done"])
    return decoder.plan()


class _Encoder:
    """The tables sent so far: each value's place in its table."""

    def __init__(self) -> None:
        self._places: dict[str, dict[Hashable, int]] = {}

    def with_shared(self, head: str, spec: ProcessSpec | DaemonSpec) -> Iterator[str]:
        """Give the line of ``spec``, after those of what it refers to for the first time."""
        row: _Row = []
        for name in _NAMES[type(spec)]:
            value = getattr(spec, name)
            table = _SHARED.get(name)
            if table is None or value is None:
                row.append(value)
                continue
            places = self._places.setdefault(table, {})
            if value not in places:
                places[value] = len(places)
                yield _line(table, *(value if table == "environment" else _row(value)))
            row.append(places[value])
        yield _line(head, *row)


class _Decoder:
    """The plan as far as it has come, and every shared value there is."""

    def __init__(self) -> None:
        self.ended = False
        self._daemon = DaemonSpec()
        self._servers: list[ServerSpec] = []
        self._groups: list[_Row] = []
        self._processes: list[list[ProcessSpec]] = []
        self._policies: list[Policy] = []
        self._outputs: list[OutputSpec] = []
        self._users: list[UserSpec] = []
        self._environments: list[_Environment] = []
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._rest: dict[str, tuple[Any, ...]] = {}
        tables: dict[str, Sequence[Any]] = {
            "policy": self._policies,
            "output": self._outputs,
            "user": self._users,
            "environment": self._environments,
        }
        self._process_columns = _columns(ProcessSpec, tables)
        self._daemon_columns = _columns(DaemonSpec, tables)

    def take(self, line: object) -> None:
        """Take one line, parsed. Raises ConfigError if it says that there is no plan."""
        if isinstance(line, dict):
            raise ConfigError([str(problem) for problem in line["problems"]])
        if not isinstance(line, list):
            raise TypeError(f"not a line but {type(line).__name__}")
        head, *row = line
        match head:
            case "process":
                self._processes[-1].append(ProcessSpec(*self._resolve(row, self._process_columns)))
            case "policy" | "output" | "user" | "environment":
                self._share(head, row)
            case "group":
                self._groups.append(row)
                self._processes.append([])
            case _:
                self._take_single(head, row)

    def _take_single(self, head: object, row: _Row) -> None:
        match head:
            case "server":
                self._servers.append(ServerSpec(*row))
            case "daemon":
                self._daemon = DaemonSpec(*self._resolve(row, self._daemon_columns))
            case "warnings" | "notes" | "dangling":
                self._rest[str(head)] = tuple(row)
            case "sources":
                self._rest["sources"] = tuple(Source(*each) for each in row)
            case "plan":
                _check_format(row)
            case "end":
                self.ended = True
            case _:
                raise ValueError(f"no line starts with {head!r}")

    def plan(self) -> Plan:
        groups = zip(self._groups, self._processes, strict=True)
        return Plan(
            daemon=self._daemon,
            servers=tuple(self._servers),
            groups=tuple(_group(row, tuple(processes)) for row, processes in groups),
            **self._rest,
        )

    def _share(self, table: str, row: _Row) -> None:
        match table:
            case "policy":
                self._policies.append(_policy(row))
            case "output":
                self._outputs.append(OutputSpec(*row))
            case "user":
                name, uid, gid, groups = row
                self._users.append(UserSpec(name, uid, gid, tuple(groups)))
            case _:
                self._environments.append(tuple(map(self._pair, row)))

    def _pair(self, row: list[str]) -> tuple[str, str]:
        key, value = row
        pair = (intern(key), intern(value))
        return self._pairs.setdefault(pair, pair)

    @staticmethod
    def _resolve(row: _Row, columns: Sequence[tuple[int, Sequence[Any]]]) -> _Row:
        """Put shared values in the place of their numbers, and one object for equal strings."""
        for place, table in columns:
            number = row[place]
            if number is not None:
                row[place] = table[number]
        return [intern(value) if type(value) is str else value for value in row]


def _columns(kind: type, tables: dict[str, Sequence[Any]]) -> list[tuple[int, Sequence[Any]]]:
    return [
        (place, tables[_SHARED[name]]) for place, name in enumerate(_NAMES[kind]) if name in _SHARED
    ]


def _row(value: object) -> _Row:
    return [getattr(value, name) for name in _NAMES[type(value)]]


def _group_row(group: GroupSpec) -> _Row:
    listener = None if group.listener is None else _row(group.listener)
    fcgi = None if group.fcgi is None else _row(group.fcgi)
    return [group.name, group.priority, group.kind, listener, fcgi, group.sources]


def _group(row: _Row, processes: tuple[ProcessSpec, ...]) -> GroupSpec:
    name, priority, kind, listener, fcgi, sources = row
    return GroupSpec(
        name=intern(name),
        priority=priority,
        processes=processes,
        kind=GroupKind(kind),
        listener=None if listener is None else ListenerSpec(tuple(listener[0]), *listener[1:]),
        fcgi=None if fcgi is None else FcgiSpec(*fcgi),
        sources=tuple(map(intern, sources)),
    )


_POLICY_TYPES: dict[str, Callable[[Any], Any]] = {
    "exitcodes": tuple,
    "autorestart": AutoRestart,
    "backoff": Backoff,
}


def _policy(row: _Row) -> Policy:
    named = dict(zip(_NAMES[Policy], row, strict=True))
    for name, convert in _POLICY_TYPES.items():
        named[name] = convert(named[name])
    return Policy(**named)


def _check_format(row: _Row) -> None:
    if row != [FORMAT]:
        raise ValueError(f"not format {FORMAT} but {row}")


def _line(*items: object) -> str:
    return json.dumps(items, separators=(",", ":"))
