"""What a reader of files hands on: sections, and where each word of them was written.

No I/O and no meaning: an INI value is text, a TOML value is what TOML says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

DEFAULT = "DEFAULT"
NAMED = frozenset(
    {"program", "group", "eventlistener", "fcgi-program", "rpcinterface", "ctlplugin"}
)
PERHAPS_NAMED = frozenset({"unix_http_server", "inet_http_server"})
MOST_PROBLEMS = 50  # nobody reads more, and a file full of garbage has thousands


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``key = value`` and its place. ``here`` is the directory of its file."""

    value: object
    file: str
    line: int  # 0: not from a file
    here: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(slots=True)
class Section:
    """A section, perhaps put together from several files; the first place counts as its own."""

    name: str  # as INI writes it: "program:web"
    file: str
    line: int
    path: str  # absolute
    strict: bool = False  # written in TOML
    entries: dict[str, Entry] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)  # every file that says something of it

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    @property
    def own_name(self) -> str:
        """Give what stands behind the colon, without spaces around it."""
        return self.name.partition(":")[2].strip()

    @property
    def title(self) -> str:
        """Give the header as the user wrote it."""
        return f"[{self.name.replace(':', '.', 1) if self.strict else self.name}]"

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def place_of(self, key: str | None) -> str:
        """Give the place of ``key``, or the section's own if the key is not there."""
        entry = self.entries.get(key) if key is not None else None
        return self.place if entry is None else entry.place


@dataclass(slots=True)
class Reading:
    """What one file says, and what cannot be understood of it."""

    sections: list[Section] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Findings:
    """Everything there is to say about a configuration, each a whole line."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def problem(self, section: Section, key: str | None, text: str) -> None:
        _add(self.problems, line(section, key, text))

    def warning(self, section: Section, key: str | None, text: str) -> None:
        _add(self.warnings, line(section, key, text))

    def first_problems(self) -> list[str]:
        """Give the problems, but not thousands of them."""
        more = len(self.problems) - MOST_PROBLEMS
        if more <= 0:
            return self.problems
        return [*self.problems[:MOST_PROBLEMS], f"and {more} more problems"]


def line(section: Section, key: str | None, text: str) -> str:
    """Give ``file:line: [section] key: text``."""
    about = f"{section.title} {key}:" if key is not None else f"{section.title}:"
    return f"{section.place_of(key)}: {about} {text}"


def merge(sections: Iterable[Section], findings: Findings) -> dict[str, Section]:
    """Put sections of one name together; of a key said twice the last one counts.

    That is how supervisord reads its files. A program said twice is more often a
    mistake than meant, so it is a warning, or a problem where TOML has a part in it.
    """
    merged: dict[str, Section] = {}
    for section in sections:
        first = merged.get(section.name)
        if first is None:
            merged[section.name] = section
            section.paths.append(section.path)
            continue
        if ":" in section.name:
            _said_twice(first, section, findings)
        first.entries.update(section.entries)
        if section.path not in first.paths:
            first.paths.append(section.path)
    _spread_defaults(merged)
    return merged


def _said_twice(first: Section, second: Section, findings: Findings) -> None:
    if first.strict or second.strict:
        findings.problem(second, None, f"there is one already at {first.place}")
        return
    text = f"there is one already at {first.place}; they are merged and the last value counts"
    findings.warning(second, None, text)


def _spread_defaults(merged: dict[str, Section]) -> None:
    defaults = merged.get(DEFAULT)
    if defaults is None:
        return
    for section in merged.values():
        if section is not defaults:
            section.entries = defaults.entries | section.entries


def _add(lines: list[str], text: str) -> None:
    if text not in lines:  # a program of 1,000 processes says it once
        lines.append(text)
