"""``superctl status``: one line for each process, or all that is known as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console, UnreachableError
from supervise.ctl.commands.outcomes import names_of
from supervise.ctl.render import is_failure, outcome, table

SOME_STOPPED, UNKNOWN = 3, 4
STOPPED = frozenset(["STOPPED", "EXITED", "FATAL", "UNKNOWN"])


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Print the statuses; 3 if one of them is down, 4 for a name that means nothing."""
    as_json = "--json" in words
    names = names_of([word for word in words if word != "--json"])
    try:
        results = list(client.call("status", names=[] if names == ["all"] else names))
    except UnreachableError as error:
        if not as_json:
            raise
        console.hint([str(error)])  # whoever parses our output finds it empty
        return UNKNOWN
    bad = [outcome(result) for result in results if is_failure(result)]
    found = [result for result in results if not is_failure(result)]
    if as_json:
        import json  # noqa: PLC0415 - the client has loaded it already

        console.hint(bad)
        console.say(json.dumps(found))
    else:
        lines = [*bad, table(found, colours=console.colours)] if found else bad
        if lines:
            console.say("\n".join(lines))
    for result in results:
        console.hint(result.get("hint") or ())
    if any(result["state"] in STOPPED for result in found):
        return SOME_STOPPED
    return UNKNOWN if bad else 0


COMMANDS = {
    "status": Command(
        run,
        "status <name>\t\tGet status for a single process",
        "status <gname>:*\tGet status for all processes in a group",
        "status <name> <name>\tGet status for multiple named processes",
        "status\t\t\tGet all process status info",
        beyond="status --json [<name>]\tGet all that is known, as a JSON array",
        down=UNKNOWN,
    )
}
