"""TOML with supervisord's section and key names, and the line of each.

``[program.web]`` is INI's ``[program:web]``; values are native where that is nicer.
tomllib tells no positions, so a second look at the text finds them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from supervise.config.section import NAMED, PERHAPS_NAMED, Entry, Reading, Section

_OCTAL = frozenset({"umask", "chmod", "socket_mode"})
_Path = tuple[str, ...]
_TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\n]* )
    | (?P<string> \"{3} (?:\\.|[^\\])*? \"{3,5} | '{3} .*? '{3,5}
                | " (?:\\.|[^"\\\n])* " | '[^'\n]*' )
    | (?P<bare> [A-Za-z0-9_-]+ )
    | (?P<space> [^\S\n]+ )
    | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLACE_IN_ERROR = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_DECIMAL = re.compile(r"[-+]?[1-9][0-9_]*")


def read(text: str, file: str, path: str, here: str) -> Reading:
    """Take ``text`` apart into sections that are named as INI would name them."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Reading(problems=[_syntax(str(error), text, file)])
    except RecursionError:
        return Reading(problems=[f"{file}:1: nested too deeply"])
    return _Reader(text, file, path, here).read(document)


def positions(text: str) -> dict[_Path, tuple[int, str]]:
    """Give line and value's first word of each table and key of a valid document."""
    found: dict[_Path, tuple[int, str]] = {}
    table: _Path = ()
    for line, header, key, word in _statements(text):
        if header:
            table = key
            for depth in range(1, len(key) + 1):
                found.setdefault(key[:depth], (line, ""))
            continue
        for depth in range(1, len(key) + 1):
            found.setdefault(table + key[:depth], (line, word))
    return found


def _statements(text: str) -> Iterator[tuple[int, bool, _Path, str]]:
    """Walk through headers and assignments: line, whether a header, dotted key, value's start."""
    line, depth, start = 1, 0, 1
    key: list[str] = []
    header = assigned = False
    word = ""
    for match in _TOKEN.finditer(text + "\n"):
        piece, kind = match[0], match.lastgroup
        if piece == "\n" and depth == 0:
            if key:
                yield start, header, tuple(key), word
            key, header, assigned, word = [], False, False, ""
        elif assigned:
            word = word or piece.strip()
            depth += (piece in ("[", "{")) - (piece in ("]", "}"))
        elif kind in ("bare", "string"):
            start = line
            key.append(_plain(piece))
        elif piece == "[":
            header = True
        elif piece == "=":
            assigned = True
        line += piece.count("\n")


def _plain(token: str) -> str:
    if token[0] not in "\"'":
        return token
    return str(tomllib.loads(f"key = {token}")["key"])


def _syntax(error: str, text: str, file: str) -> str:
    place = _PLACE_IN_ERROR.search(error)
    line = int(place[1]) if place and place[1] else text.rstrip().count("\n") + 1
    said = _PLACE_IN_ERROR.sub("", error)
    content = text.split("\n")[line - 1].strip()
    return f"{file}:{line}: not valid TOML: {said[:1].lower()}{said[1:]}: {content[:60]!r}"


class _Reader:
    def __init__(self, text: str, file: str, path: str, here: str) -> None:
        self._file = file
        self._path = path
        self._here = here
        self._positions = positions(text)
        self._reading = Reading()

    def read(self, document: dict[str, object]) -> Reading:
        for kind, value in document.items():
            if not isinstance(value, dict):
                self._complain((kind,), f"{kind} stands outside of a section")
            elif kind in NAMED or (kind in PERHAPS_NAMED and _only_tables(value)):
                self._named(kind, value)
            else:
                self._section(kind, (kind,), value)
        return self._reading

    def _named(self, kind: str, tables: dict[str, object]) -> None:
        for name, value in tables.items():
            if isinstance(value, dict):
                self._section(f"{kind}:{name}", (kind, name), value)
            else:
                text = f"{name} needs a section with a name, such as [{kind}.NAME]"
                self._complain((kind, name), text)

    def _section(self, name: str, path: _Path, table: dict[str, object]) -> None:
        section = Section(name, self._file, self._line(path), self._path, strict=True)
        self._reading.sections.append(section)
        if section.kind in ("rpcinterface", "ctlplugin"):
            table = dict(_flat(table))
        for key, value in table.items():
            self._refuse_decimal((*path, key), key, value)
            line = self._line((*path, key)) or section.line
            section.entries[key] = Entry(value, self._file, line, self._here)

    def _refuse_decimal(self, path: _Path, key: str, value: object) -> None:
        """Refuse ``umask = 22``: TOML reads it as decimal, who wrote it did not."""
        word = self._positions.get(path, (0, ""))[1]
        if key in _OCTAL and isinstance(value, int) and _DECIMAL.fullmatch(word):
            self._complain(path, f'{key} = {word} would be decimal; write 0o{word} or "{word}"')

    def _line(self, path: _Path) -> int:
        return self._positions.get(path, (0, ""))[0]

    def _complain(self, path: _Path, text: str) -> None:
        self._reading.problems.append(f"{self._file}:{self._line(path) or 1}: {text}")


def _only_tables(value: dict[str, object]) -> bool:
    return bool(value) and all(isinstance(each, dict) for each in value.values())


def _flat(table: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Join ``supervisor.rpcinterface_factory``, which TOML takes for a table."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
