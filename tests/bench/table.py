"""The outcome of a run: one table for people, one JSON file for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure, Verdict

WIDTH = 150  # columns when the output is no terminal
COLOUR = {Verdict.REACHED: "green", Verdict.AS_RATIO: "green", Verdict.MISSED: "red"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one row, or why there are none."""

    row: str
    figures: list[Figure]
    failure: str = ""


def show(outcomes: Sequence[Outcome]) -> None:
    """Print the table."""
    table = Table(title=f"Python {platform.python_version()}, Linux {platform.release()}")
    table.add_column("figure", ratio=5)
    table.add_column("competitor", justify="right", ratio=3)
    table.add_column("ours", justify="right")
    table.add_column("target", justify="right")
    table.add_column("ratio", justify="right")
    table.add_column("verdict", justify="right")
    for outcome in outcomes:
        for figure in outcome.figures:
            table.add_row(*_cells(figure))
        if outcome.failure:
            table.add_row(outcome.row, "", "", "", "", "[red]broke[/red]")
    console = Console()
    console = Console(width=max(console.width, WIDTH) if not console.is_terminal else None)
    console.print(table)
    for outcome in outcomes:
        if outcome.failure:
            console.print(f"{outcome.row}: {outcome.failure}", style="red", markup=False)


def write(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the figures as JSON: a list of rows with their figures."""
    rows = [
        {
            "row": outcome.row,
            "failure": outcome.failure,
            "figures": [
                {**asdict(figure), "ratio": figure.ratio, "verdict": figure.verdict.value}
                for figure in outcome.figures
            ],
        }
        for outcome in outcomes
    ]
    path.write_text(json.dumps(rows, indent=2) + "\n")


def _cells(figure: Figure) -> list[str]:
    note = f"\n[dim]{figure.note}[/dim]" if figure.note else ""
    theirs = number(figure.theirs)
    if theirs:
        theirs = f"{figure.competitor} {theirs}"
    verdict = figure.verdict
    colour = COLOUR.get(verdict)
    bound = ("≥ " if figure.more_is_better else "≤ ") + number(figure.target)
    return [
        f"{figure.name}, {figure.unit}{note}" if figure.unit else f"{figure.name}{note}",
        theirs,
        number(figure.ours),
        bound if figure.target is not None else "",
        "" if figure.ratio is None else f"{figure.ratio:.3g}",
        f"[{colour}]{verdict}[/{colour}]" if colour else str(verdict),
    ]


def number(value: float | None) -> str:
    """Write a figure with three digits that count; "" for none."""
    if value is None:
        return ""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
