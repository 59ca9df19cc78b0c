"""``superctl update``: make what runs match the files."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import GENERIC, Client, Command, Console
from supervise.ctl.render import WORDS, is_failure
from supervise.wire import Frame

DONE = {
    "stopped": "stopped",
    "removed": "removed process group",
    "updated": "updated process group",
    "added": "added process group",
}


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Add, change and remove groups; say each step when it is done."""
    code = 0
    for step in client.call("update", groups=[] if "all" in words else list(words)):
        console.hint(f"warning: {line}" for line in step.get("warnings", ()))
        if "group" not in step:
            continue
        console.say(_line(step))
        code = GENERIC if is_failure(step) else code
    return code


def _line(step: Frame) -> str:
    group, code = step["group"], step["code"]
    if code == "BAD_NAME":
        return f"ERROR: no such group: {group}"
    if code == "FAILED":
        return f"{group}: has problems; not removing"
    if is_failure(step):
        return f"{group}: ERROR ({step.get('text') or WORDS.get(code, code)})"
    return f"{group}: {DONE.get(code, code)}"


COMMANDS = {
    "update": Command(
        run,
        "update\t\t\tReload config and add/remove as necessary, and will restart affected programs",
        "update all\t\tReload config and add/remove as necessary, and will restart affected"
        " programs",
        "update <gname> [...]\tUpdate specific groups",
        down=1,
        shutting_down="ERROR: already shutting down",
    )
}
