"""``superctl reload`` and ``shutdown``: the supervisor itself."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import (
    GENERIC,
    CallError,
    Client,
    Command,
    Console,
    UnreachableError,
    UsageError,
)

ALREADY = "ERROR: already shutting down"


def reload(words: Sequence[str], client: Client, console: Console) -> int:
    """Stop everything, read the files again and start."""
    if words:
        raise UsageError("reload accepts no arguments")
    if console.confirm("Really restart the remote supervisord process y/N? "):
        _ask(client, "reload")
        console.say("Restarted supervisord")
    return 0


def shutdown(words: Sequence[str], client: Client, console: Console) -> int:
    """Stop everything; with ``--wait`` return when the last process is gone."""
    wait = list(words) == ["--wait"]
    if words and not wait:
        raise UsageError("shutdown accepts no arguments")
    if not console.confirm("Really shut the remote supervisord process down y/N? "):
        return 0
    try:
        _ask(client, "shutdown", wait=wait)
    except CallError as error:
        if error.code != "SHUTDOWN_STATE":
            raise
        console.say(ALREADY)
        return 0
    except UnreachableError as error:
        console.say(f"ERROR: {error}" + (" (already shut down?)" if error.down else ""))
        return GENERIC
    console.say("Shut down")
    return 0


def _ask(client: Client, method: str, **params: object) -> None:
    for _ in client.call(method, **params):
        pass


COMMANDS = {
    "reload": Command(
        reload, "reload \t\tRestart the remote supervisord.", down=1, shutting_down=ALREADY
    ),
    "shutdown": Command(
        shutdown,
        "shutdown \tShut the remote supervisord down.",
        beyond="shutdown --wait\tReturn when every process has stopped.",
    ),
}
