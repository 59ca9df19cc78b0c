"""``superctl clear``: empty the log files of processes."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console, UsageError
from supervise.ctl.commands.outcomes import names_of, show


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Empty the logs, also those of processes that do not run (upstream did not)."""
    if not words:
        raise UsageError("clear requires a process name")
    results = client.call("clear", names=names_of(words))
    return show(results, console, {}, failed="{name}: ERROR (failed)")


COMMANDS = {
    "clear": Command(
        run,
        "clear <name>\t\tClear a process' log files.",
        "clear <name> <name>\tClear multiple process' log files",
        "clear all\t\tClear all process' log files",
    )
}
