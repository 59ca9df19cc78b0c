"""``exit``, ``quit`` and the end of input."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """End the line that the cursor stands on; the shell does the rest."""
    del words, client
    console.say("")
    return 0


COMMANDS = {
    "exit": Command(run, "exit\tExit the supervisor shell.", leaves=True),
    "quit": Command(run, "quit\tExit the supervisor shell.", leaves=True),
    "EOF": Command(run, "To quit, type ^D or use the quit command", leaves=True),
}
