"""``superctl signal``: send one signal to processes."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import NOT_RUNNING, Client, Command, Console, UsageError
from supervise.ctl.commands.outcomes import names_of, show

EXIT = {"NOT_RUNNING": NOT_RUNNING}
LEAST = 2  # a signal and a name


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Send the signal named first to the processes named after it."""
    if len(words) < LEAST:
        raise UsageError("signal requires a signal name and a process name")
    results = client.call("signal", signal=words[0], names=names_of(words[1:]))
    return show(results, console, EXIT)


COMMANDS = {
    "signal": Command(
        run,
        "signal <signal name> <name>\t\tSignal a process",
        "signal <signal name> <gname>:*\t\tSignal all processes in a group",
        "signal <signal name> <name> <name>\tSignal multiple processes or groups",
        "signal <signal name> all\t\tSignal all processes",
    )
}
