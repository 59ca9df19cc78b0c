"""The blocks of Symfony's console style, as plain text for people and for log files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TextIO

_WIDTH = 120


def ok(text: str, stream: TextIO) -> None:
    """Print a block of success."""
    print(f"\n [OK] {text}\n", file=stream, flush=True)


def comments(lines: Iterable[str], stream: TextIO) -> None:
    """Print remarks, each wrapped to the width of Symfony's."""
    for line in lines:
        for part in textwrap.wrap(line, _WIDTH - 4, break_long_words=False, break_on_hyphens=False):
            print(f" // {part}", file=stream)
    print(file=stream, flush=True)


def table(head: Iterable[str], rows: Iterable[Iterable[str]], stream: TextIO) -> None:
    """Print columns as wide as their widest cell."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    rule = " " + " ".join("-" * (width + 2) for width in widths)
    for number, row in enumerate(cells):
        line = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(*([rule] if number < 2 else []), f"  {line.rstrip()}", sep="\n", file=stream)  # noqa: PLR2004 - above and below the head
    print(rule, file=stream, flush=True)
