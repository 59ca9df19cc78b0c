"""``superctl help``: what there is to type."""

from __future__ import annotations

from cmd import Cmd
from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console
from supervise.ctl.commands import ACTIONS, find

COLUMNS = 80


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """List the actions, or explain one of them."""
    del client
    topic = " ".join(words)
    command = find(topic) if topic in ACTIONS else None
    if command is not None:
        console.say("\n".join(filter(None, (command.usage, command.beyond))))
    elif topic:
        console.say(f"*** No help on {topic}")
    else:
        actions = [action for action in ACTIONS if action != "help"]
        console.say("")
        Cmd(stdout=console.out).print_topics(
            "default commands (type help <topic>):", actions, 15, COLUMNS
        )
    return 0


COMMANDS = {
    "help": Command(
        run, "help\t\tPrint a list of available actions", "help <action>\tPrint help for <action>"
    )
}
