"""``superctl start``: say of each process what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import NOT_RUNNING, Client, Command, Console, UsageError
from supervise.ctl.commands.outcomes import names_of, show

EXIT = {"ALREADY_STARTED": 0, "SPAWN_ERROR": NOT_RUNNING, "ABNORMAL_TERMINATION": NOT_RUNNING}
BAD_ARGUMENTS = 2


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Start processes and wait until each runs, or has failed to."""
    if not words:
        raise UsageError("start requires a process name", BAD_ARGUMENTS)
    results = client.call("start", names=names_of(words), wait=True)
    return show(results, console, EXIT, bad_group=BAD_ARGUMENTS)


COMMANDS = {
    "start": Command(
        run,
        "start <name>\t\tStart a process",
        "start <gname>:*\t\tStart all processes in a group",
        "start <name> <name>\tStart multiple processes or groups",
        "start all\t\tStart all processes",
    )
}
