"""What people call processes: ``web``, ``web:web_00``, ``web:*``, ``all``, ``web-*``.

Pure. Source of the rules: Supervisor 4.3, ``options.make_namespec`` and
``split_namespec``; shell patterns are ours.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True, order=True)
class ProcessName:
    """A process of a group; ordered as supervisorctl prints, by group, then process."""

    group: str
    process: str

    def __str__(self) -> str:
        """Give ``web`` when both names are equal, else ``group:process``."""
        return self.process if self.group == self.process else f"{self.group}:{self.process}"


@dataclass(frozen=True, slots=True)
class Selector:
    """What a user typed, taken apart. ``process`` is None for a whole group."""

    text: str
    group: str
    process: str | None

    @property
    def whole_group(self) -> bool:
        return self.process is None

    @property
    def is_pattern(self) -> bool:
        return not _PATTERN.isdisjoint(self.group) or not _PATTERN.isdisjoint(self.process or "")


def parse(text: str) -> Selector:
    """Take ``x``, ``g:p``, ``g:*`` or ``g:`` apart; never fails."""
    group, colon, process = text.partition(":")
    if not colon:
        return Selector(text, text, text)
    return Selector(text, group, None if process in ("", "*") else process)


def select(text: str, names: Iterable[ProcessName]) -> list[ProcessName]:
    """Give the names that ``text`` means, in the order of ``names``; empty if none.

    ``all`` is every name. A shell pattern without a colon is matched against
    the printed name, the group and the process, so that ``worker-*`` finds
    ``worker-a:worker-a_00``; with a colon each side is matched with its own. A
    name that looks like a pattern (``web[1]``) means itself if there is one.
    """
    names = list(names)
    if text == "all":
        return names
    wanted = parse(text)
    exact = [
        name
        for name in names
        if name.group == wanted.group and wanted.process in (None, name.process)
    ]
    if exact or not wanted.is_pattern:
        return exact
    if ":" in text:
        return [
            name
            for name in names
            if fnmatch.fnmatchcase(name.group, wanted.group)
            and fnmatch.fnmatchcase(name.process, wanted.process or "*")
        ]
    return [
        name
        for name in names
        if any(fnmatch.fnmatchcase(part, text) for part in (str(name), name.group, name.process))
    ]


def perhaps(text: str, names: Iterable[ProcessName]) -> str:
    """Give the name that was meant by one that means nothing; empty if that is not clear.

    People type a group without ``:*``, and a process without its group.
    """
    names = list(names)
    if any(name.group == text for name in names):
        return f"{text}:*"
    full = [str(name) for name in names if name.process == text]
    return full[0] if len(full) == 1 else ""
