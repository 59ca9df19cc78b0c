"""One line typed by somebody, from its words to the exit code.

Whatever goes wrong with the server becomes one line on standard output, in the words
of supervisorctl 4.3 and with its exit code, and a hint on standard error.
"""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import (
    GENERIC,
    CallError,
    Client,
    Command,
    Console,
    LostConnectionError,
    UnreachableError,
    UsageError,
)
from supervise.ctl.commands import ACTIONS, find

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def split(line: str) -> tuple[str, list[str]]:
    """Take a line apart: ``tail -f web`` and ``tail-f web`` give the same, ``?`` is help."""
    line = line.strip()
    if line.startswith("?"):
        return "help", line[1:].split()
    end = next((i for i, letter in enumerate(line) if letter not in _LETTERS), len(line))
    return line[:end], line[end:].split()


def run_line(line: str, client: Client, console: Console) -> int:
    """Carry out one line and give the exit code."""
    name, words = split(line)
    command = find(name)
    if command is None:
        console.say(f"*** Unknown syntax: {line.strip()}")
        console.hint(_near(name))
        return GENERIC
    try:
        return _guarded(command, words, client, console)
    except CallError as error:
        if error.code != "UNAUTHORIZED":
            raise
    console.say("Server requires authentication")
    if console.ask is None:
        return GENERIC
    _log_in(client, console)
    return run_line(line, client, console)


def _near(name: str) -> list[str]:
    from difflib import get_close_matches  # noqa: PLC0415 - only for who has mistyped

    return [f"did you mean {near}?" for near in get_close_matches(name, ACTIONS, n=1)]


def _guarded(command: Command, words: Sequence[str], client: Client, console: Console) -> int:
    try:
        return command.run(words, client, console)
    except UsageError as error:
        console.say(str(error) if error.brief else f"{error}\n{command.usage}")
        return error.exit_code
    except UnreachableError as error:
        return _unreachable(error, command, console)
    except CallError as error:
        if error.code == "UNAUTHORIZED":
            raise
        shutting_down = error.code == "SHUTDOWN_STATE"
        console.say(command.shutting_down if shutting_down else f"ERROR: {error}")
        return GENERIC
    except LostConnectionError as error:
        console.say(f"error: {error}")
        return GENERIC
    except KeyError as error:
        console.say(f"error: the answer of {client.serverurl} lacks {error}")
        return GENERIC


def _unreachable(error: UnreachableError, command: Command, console: Console) -> int:
    console.say(str(error))
    if not error.down:
        console.hint(filter(None, [error.hint]))
        return error.exit_code
    file = console.configuration
    console.hint([f"no superd runs there; start it with: superd -c {file or 'FILE'}"])
    if file is None:
        console.hint(["no configuration file was found; name it with -c, or a server with -s"])
    return error.exit_code if command.down is None else command.down


def _log_in(client: Client, console: Console) -> None:
    from getpass import getpass  # noqa: PLC0415 - only somebody who types a password waits for it

    assert console.ask is not None
    username = console.ask("Username:")
    password = getpass("Password:")
    console.say("")
    client.log_in(username, password)
