"""``superctl add`` and ``remove``: one group at a time, as the last reread found it."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import GENERIC, Client, Command, Console
from supervise.ctl.render import is_failure
from supervise.wire import Frame

WORDS = {
    "ALREADY_ADDED": "ERROR: process group already active",
    "BAD_NAME": "ERROR: no such process/group: {group}",
    "STILL_RUNNING": "ERROR: process/group still running: {group}",
    "SHUTDOWN_STATE": "ERROR: shutting down",
    "added": "{group}: added process group",
    "removed": "{group}: removed process group",
}


def add(words: Sequence[str], client: Client, console: Console) -> int:
    """Take groups from the files into what runs."""
    return _each("add", words, client, console)


def remove(words: Sequence[str], client: Client, console: Console) -> int:
    """Forget groups of which nothing runs."""
    return _each("remove", words, client, console)


def _each(method: str, groups: Sequence[str], client: Client, console: Console) -> int:
    if not groups:  # supervisorctl is silent here, and scripts pass empty lists
        return 0
    code = 0
    for result in client.call(method, groups=list(groups)):
        console.say(_line(result))
        console.hint(result.get("hint") or ())
        if is_failure(result) and result["code"] != "ALREADY_ADDED":
            code = GENERIC
    return code


def _line(result: Frame) -> str:
    known = WORDS.get(result["code"])
    if known is not None:
        return known.format(group=result["group"])
    return f"ERROR: {result['code']}: {result.get('text') or result['group']}"


COMMANDS = {
    "add": Command(
        add,
        "add <name> [...]\tActivates any updates in config for process/group",
        down=1,
        shutting_down="ERROR: shutting down",
    ),
    "remove": Command(
        remove, "remove <name> [...]\tRemoves process/group from active config", down=1
    ),
}
