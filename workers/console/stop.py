"""``messenger stop-workers``: asks every worker to finish its message and leave.

Source of the text: Symfony Messenger 7.2, ``StopWorkersCommand``. Does not wait.
"""

from __future__ import annotations

import argparse
import time

from workers.app import App, load
from workers.console import blocks
from workers.console.command import Command, Context
from workers.errors import NotConfiguredError, TransportError
from workers.transports.base import RestartFlag


def run(args: argparse.Namespace, context: Context) -> int:
    """Leave the wish in every store that workers may watch; 1 if any refused."""
    with load(args.config, context.environ) as app:
        problems = _ask(app, time.time())  # noqa: TID251 - read by other processes
    for problem in problems:
        print(f"messenger: {problem}", file=context.stderr)
    if not problems:
        blocks.ok("Signal successfully sent to stop any running workers.", context.stderr)
    return 1 if problems else 0


def _ask(app: App, now: float) -> list[str]:
    """Ask in each store once; give what went wrong. Who is not configured has no workers here."""
    problems, places = [], set()
    named = [app.settings.restart_flag] if app.settings.restart_flag else list(app.transports)
    for name in named:
        try:
            transport = app.transports[name]
            if isinstance(transport, RestartFlag) and transport.place not in places:
                places.add(transport.place)
                transport.request_restart(now)
        except NotConfiguredError:
            continue
        except TransportError as error:
            problems.append(str(error))
    return problems


def _arguments(parser: argparse.ArgumentParser) -> None:
    del parser


COMMAND = Command(run, _arguments, "ask all workers to stop after their current message")
