"""The recordings of supervisorctl 4.3.0: read, and made comparable with what happens today."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "golden"
HOME = "/srv/demo"  # where the recorded daemon lived

# What differs between two runs of one program: process ids, times, how wide a column came out.
_PASSING = (
    (re.compile(r"pid [1-9]\d*"), "pid PID"),
    (re.compile(r"uptime [\d:]+"), "uptime T"),
    (re.compile(r"[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M"), "DATE"),
    (re.compile(r"^[1-9]\d*$", re.MULTILINE), "PID"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
    (re.compile(r"(?<=\S) {2,}"), "  "),
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One command of a recording, with what it printed and its exit code."""

    line: str
    printed: str
    code: int
    occurrence: int  # 1 for the first time this line was typed, 2 for the second

    @property
    def key(self) -> str:
        return self.line if self.occurrence == 1 else f"{self.line} #{self.occurrence}"


def recorded(name: str) -> Iterator[Recorded]:
    """Give the commands of a recording in their order."""
    typed: dict[str, int] = {}
    pattern = r"^\$ supervisorctl (.*)\n((?:.*\n)*?)\[exit (\d+)\]$"
    for match in re.finditer(pattern, (GOLDEN / name).read_text(), re.MULTILINE):
        typed[match[1]] = typed.get(match[1], 0) + 1
        yield Recorded(match[1], match[2], int(match[3]), typed[match[1]])


def comparable(text: str) -> str:
    """Give ``text`` without what no two runs have in common."""
    for pattern, instead in _PASSING:
        text = pattern.sub(instead, text)
    return text
