"""``superctl open``: talk to another supervisor from here on."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import GENERIC, Client, Command, Console, UnreachableError
from supervise.ctl.commands import status


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Turn to another URL and show what runs there; that something is down is no failure."""
    url = " ".join(words)
    if not url.startswith(("unix://", "http://")):
        console.say("ERROR: url must be http:// or unix://")
        return GENERIC
    client.turn_to(url)
    try:
        status.run((), client, console)
    except UnreachableError as error:
        console.say(str(error))
    return 0


COMMANDS = {
    "open": Command(
        run,
        "open <url>\tConnect to a remote supervisord process.",
        "\t\t(for UNIX domain socket, use unix:///socket/path)",
    )
}
