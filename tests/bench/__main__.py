"""``python -m tests.bench [NAME ...]``: our figures beside the competitors', in one table.

Each row lives in ``rows/``; its docstring says what is measured and how. The exit status
is 0 unless a row broke: figures of a busy machine are judged as ratios by a reader.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import competitors
from tests.bench.figure import Figure
from tests.bench.lab import Lab, bounded, end_all
from tests.bench.rows import commands, consume, dispatch, latency, logs, respawn, sleepers
from tests.bench.table import Outcome, show, write

Row = Callable[[Lab], list[Figure]]
# Each with the seconds after which it is given up.
ROWS: dict[str, tuple[Row, int]] = {
    "respawn": (respawn.one, 180),
    "crowd": (respawn.crowd, 240),
    "sleepers": (sleepers.thousand, 600),
    "status": (commands.status, 180),
    "update": (commands.update, 240),
    "flood": (logs.flood, 300),
    "chat": (logs.chat, 240),
    "consume": (consume.consume, 400),
    "dispatch": (dispatch.dispatch, 200),
    "latency": (latency.latency, 200),
}


def main() -> int:
    """Measure the rows that were asked for; give the exit status."""
    options = _options()
    lab = _lab(options)
    outcomes: list[Outcome] = []
    for name in options.rows or ROWS:
        start = time.monotonic()
        sys.stderr.write(f"{name} ... ")
        sys.stderr.flush()
        outcomes.append(_measure(name, lab))
        sys.stderr.write(f"{time.monotonic() - start:.0f} s {outcomes[-1].failure}\n")
        if options.json is not None:  # after each row: a run that is broken off keeps the others
            write(outcomes, options.json)
    show(outcomes)
    return int(any(outcome.failure for outcome in outcomes))


def _measure(name: str, lab: Lab) -> Outcome:
    row, seconds = ROWS[name]
    try:
        with bounded(seconds):
            return Outcome(name, row(lab))
    except Exception as error:  # noqa: BLE001 - one row fails alone
        return Outcome(name, [], f"{type(error).__name__}: {error}")
    finally:
        end_all()


def _lab(options: argparse.Namespace) -> Lab:
    ours = Path(sys.executable).parent
    cached = competitors.scripts(options.cache)
    return Lab(
        ours=ours,
        theirs=options.supervisor or cached,
        huey=cached,
        quick=options.quick,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="NAME", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(".bench"),
        metavar="DIR",
        help="where the competitors are installed (default %(default)s)",
    )
    parser.add_argument(
        "--supervisor", type=Path, metavar="DIR", help="supervisord and supervisorctl lie there"
    )
    options = parser.parse_args()
    if unknown := [name for name in options.rows if name not in ROWS]:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    options.cache = options.cache.absolute()
    return options


if __name__ == "__main__":
    sys.exit(main())
