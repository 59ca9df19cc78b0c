"""``messenger stats``: how many messages each transport holds, by what they wait for.

The JSON has Symfony's keys (``count`` is what is ready) and ours beside them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from workers.app import App, load
from workers.console import blocks
from workers.console.command import Command, Context
from workers.errors import ConfigError, NotConfiguredError, TransportError
from workers.transports.base import Stats
from workers.transports.sync import SyncTransport


@dataclass(frozen=True, slots=True)
class _Row:
    """One transport: numbers, or why there are none."""

    name: str
    place: str
    stats: Stats | None = None
    remark: str = ""
    broken: bool = False


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the numbers; 1 if a transport that is configured could not be asked."""
    with load(args.config, context.environ) as app:
        rows = [_ask(app, name) for name in _wanted(app, args.transports)]
    if args.format == "json":
        print(json.dumps(_document(rows), indent=2), file=context.stdout)
    else:
        head = ("Transport", "Ready", "Delayed", "In hand", "Abandoned", "Where")
        blocks.table(head, [_cells(row) for row in rows], context.stdout)
    for row in rows:
        if row.broken:
            print(f"messenger: {row.remark}", file=context.stderr)
    return 1 if any(row.broken for row in rows) else 0


def _wanted(app: App, named: Sequence[str]) -> list[str]:
    unknown = [name for name in named if name not in app.transports]
    if unknown:
        valid = ", ".join(app.transports)
        raise ConfigError(
            [f'The "{name}" transport does not exist. There are: {valid}.' for name in unknown]
        )
    return list(dict.fromkeys(named or app.transports))


def _ask(app: App, name: str) -> _Row:
    try:
        transport = app.transports[name]
        if isinstance(transport, SyncTransport):
            return _Row(name, transport.place, remark="keeps nothing")
        return _Row(name, transport.place, transport.stats())
    except NotConfiguredError as error:
        return _Row(name, "not configured", remark=str(error))
    except (ConfigError, TransportError) as error:
        return _Row(name, "cannot be read", remark=str(error), broken=True)


def _cells(row: _Row) -> tuple[str, ...]:
    if row.stats is None:
        return (row.name, "-", "-", "-", "-", row.place)
    return (row.name, *(str(number) for number in asdict(row.stats).values()), row.place)


def _document(rows: Sequence[_Row]) -> dict[str, object]:
    counted = {
        row.name: {"count": row.stats.ready, **asdict(row.stats), "place": row.place}
        for row in rows
        if row.stats
    }
    others = {row.name: row.remark for row in rows if row.stats is None}
    return {
        "transports": counted,
        "uncountable_transports": list(others),
        "reasons": others,
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("transports", nargs="*", metavar="TRANSPORT", help="default: all")
    parser.add_argument("--format", choices=("txt", "text", "json"), default="txt")


COMMAND = Command(run, _arguments, "count the messages in each transport")
