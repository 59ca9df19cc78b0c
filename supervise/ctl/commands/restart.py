"""``superctl restart``: stop and start, in one request, so that a hang-up leaves nothing down."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console, UsageError
from supervise.ctl.commands.outcomes import names_of, show
from supervise.ctl.commands.start import BAD_ARGUMENTS, EXIT

EITHER = {**EXIT, "NOT_RUNNING": 0}  # what did not run is only started


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Stop processes, start them again, and wait for both."""
    if not words:
        raise UsageError("restart requires a process name")
    results = client.call("restart", names=names_of(words), wait=True)
    return show(results, console, EITHER, bad_group=BAD_ARGUMENTS)


COMMANDS = {
    "restart": Command(
        run,
        "restart <name>\t\tRestart a process",
        "restart <gname>:*\tRestart all processes in a group",
        "restart <name> <name>\tRestart multiple processes or groups",
        "restart all\t\tRestart all processes",
        "Note: restart does not reread config files. For that, see reread and update.",
    )
}
