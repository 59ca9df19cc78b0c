"""``superctl pid``: numbers for scripts."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import GENERIC, NOT_RUNNING, Client, Command, Console
from supervise.ctl.commands.outcomes import names_of
from supervise.ctl.render import is_failure


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Print one PID a line, 0 for a process that does not run."""
    names = names_of(words)
    code = 0
    for result in client.call("pid", names=names):
        if is_failure(result):
            console.say(f"No such process {result['name']}")
            code = GENERIC
        else:
            console.say(str(result["pid"]))
            code = NOT_RUNNING if not result["pid"] and names != ["all"] else code
    return code


COMMANDS = {
    "pid": Command(
        run,
        "pid\t\t\tGet the PID of supervisord.",
        "pid <name>\t\tGet the PID of a single child process by name.",
        "pid all\t\t\tGet the PID of every child process, one per line.",
    )
}
