"""``messenger stop-workers``: asks every worker to finish its message and leave.

Source of the text: Symfony Messenger 7.2, ``StopWorkersCommand``. Does not wait.
"""

from __future__ import annotations

import argparse
import time

from workers.app import App, load
from workers.console import blocks
from workers.console.command import Command, Context
from workers.errors import ConfigError, NotConfiguredError, TransportError


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
    """Ask in each store; give what went wrong. Who is not configured has no workers here."""
    problems: list[str] = []
    asked = 0
    flag = app.settings.restart_flag
    for name in [flag] if flag else app.transports:
        try:
            for store in app.restart_flags([name]):
                store.request_restart(now)
                asked += 1
        except (ConfigError, TransportError) as error:
            if flag or not isinstance(error, NotConfiguredError):
                problems.append(str(error))
    if not asked and not problems:
        problems.append("no transport here can tell a worker to stop; send SIGTERM instead")
    return problems


def _arguments(parser: argparse.ArgumentParser) -> None:
    del parser


COMMAND = Command(run, _arguments, "ask all workers to stop after their current message")
