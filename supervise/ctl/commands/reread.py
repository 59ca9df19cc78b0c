"""``superctl reread``: what ``update`` would do."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console, UsageError


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Have the files read again and say which groups differ from what runs."""
    if words:
        raise UsageError("reread accepts no arguments")
    answers = list(client.call("reread"))
    changes = [answer for answer in answers if "group" in answer]
    lines = sorted(f"{change['group']}: {change['code']}" for change in changes)
    console.say("\n".join(lines) or "No config updates to processes")
    for answer in answers:
        console.hint(f"warning: {line}" for line in answer.get("warnings", ()))
    return 0


COMMANDS = {
    "reread": Command(
        run,
        "reread \t\t\tReload the daemon's configuration files without add/remove",
        down=1,
    )
}
