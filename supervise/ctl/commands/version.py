"""``superctl version``: the version of the server, not our own."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console, UsageError


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Print the version of the supervisor that answers."""
    if words:
        raise UsageError("version accepts no arguments")
    for result in client.call("version"):
        console.say(str(result["version"]))
    return 0


COMMANDS = {
    "version": Command(run, "version\t\t\tShow the version of the remote supervisord process")
}
