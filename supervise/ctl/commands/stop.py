"""``superctl stop``: wait until each process is gone."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console, UsageError
from supervise.ctl.commands.outcomes import names_of, show

EXIT = {"NOT_RUNNING": 0}


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Stop processes and wait until each has stopped."""
    if not words:
        raise UsageError("stop requires a process name")
    return show(client.call("stop", names=names_of(words), wait=True), console, EXIT)


COMMANDS = {
    "stop": Command(
        run,
        "stop <name>\t\tStop a process",
        "stop <gname>:*\t\tStop all processes in a group",
        "stop <name> <name>\tStop multiple processes or groups",
        "stop all\t\tStop all processes",
    )
}
