"""Where in a TOML text a key stands: the parser of the standard library does not say.

Pure, and a guess that is right for files that people write: tables in brackets,
one key a line. What it cannot find it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_TABLE = re.compile(r"\s*\[\[?(?P<keys>[^\]]+)\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""\s*(?P<keys>("[^"]*"|'[^']*'|[\w-]+)(\s*\.\s*("[^"]*"|'[^']*'|[\w-]+))*)\s*="""
)
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


def line_of(text: str, keys: Sequence[str]) -> str:
    """Give ``:12`` for the line that comes nearest to ``keys``, or nothing."""
    best, line = 0, 0
    for number, path in _paths(text):
        depth = len(path)
        if depth > best and path == list(keys[:depth]):
            best, line = depth, number
    return f":{line}" if line else ""


def _paths(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give the full path of each table and key, with its line."""
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        header, entry = _TABLE.match(line), _KEY.match(line)
        if header:
            table = _parts(header["keys"])
            yield number, table
        elif entry:
            yield number, table + _parts(entry["keys"])


def _parts(keys: str) -> list[str]:
    return ["".join(groups) for groups in _PART.findall(keys)]
