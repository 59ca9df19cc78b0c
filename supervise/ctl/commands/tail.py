"""``superctl tail`` and ``maintail``: the end of a log, and what is added to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from supervise.ctl.command import GENERIC, CallError, Client, Command, Console, UsageError
from supervise.wire import Frame

BYTES = 1600  # of the end of a log, unless -N says otherwise
FOLLOWED = 1024  # bytes that -f begins with
MOST_WORDS = 3
CHANNELS = ("stdout", "stderr")
REASONS = {
    "NO_FILE": "no log file",
    "FAILED": "unknown error reading log",
    "BAD_NAME": "no such process name",
}


def tail(words: Sequence[str], client: Client, console: Console) -> int:
    """Print the end of the log of one process."""
    if not words:
        raise UsageError("too few arguments")
    if len(words) > MOST_WORDS:
        raise UsageError("too many arguments")
    modifier = words[0] if words[0].startswith("-") else ""
    match words[1:] if modifier else words:
        case [name]:
            channel = CHANNELS[0]
        case [name, *_, last]:
            channel = last.lower()
        case _:
            raise UsageError("tail requires process name", brief=True)
    if channel not in CHANNELS:
        raise UsageError(f"bad channel {channel!r}", brief=True)
    size, follow = _how_much(modifier)
    log = client.call("tail", name=name, channel=channel, bytes=size, follow=follow)
    return _show(log, name, console, follow=follow)


def maintail(words: Sequence[str], client: Client, console: Console) -> int:
    """Print the end of the log of the supervisor itself."""
    if len(words) > 1:
        raise UsageError("too many arguments")
    size, follow = _how_much(words[0] if words else "")
    log = client.call("maintail", bytes=size, follow=follow)
    return _show(log, "supervisord", console, follow=follow)


def _how_much(modifier: str) -> tuple[int, bool]:
    """Give the bytes and whether to follow: ``-f``, ``-100`` or nothing."""
    if not modifier:
        return BYTES, False
    if modifier == "-f":
        return FOLLOWED, True
    digits = modifier.removeprefix("-")
    if digits == modifier or not (digits.isascii() and digits.isdecimal()):
        raise UsageError(f"bad argument {modifier}", brief=True)
    return int(digits), False


def _show(log: Iterable[Frame], name: str, console: Console, *, follow: bool) -> int:
    if follow:
        console.say("==> Press Ctrl-C to exit <==")
    try:
        for piece in log:
            console.out.write(piece["data"])
            console.out.flush()
    except CallError as error:
        if error.code not in REASONS:
            raise
        console.say(f"{name}: ERROR ({REASONS[error.code]})")
        return GENERIC
    except KeyboardInterrupt:
        if not follow:
            raise
        follow = False  # the cursor stands behind ^C: end that line
    if not follow:
        console.say("")
    return 0


COMMANDS = {
    "tail": Command(
        tail,
        "tail [-f] <name> [stdout|stderr] (default stdout)",
        "Ex:",
        "tail -f <name>\t\tContinuous tail of named process stdout",
        "\t\t\tCtrl-C to exit.",
        "tail -100 <name>\tlast 100 *bytes* of process stdout",
        "tail <name> stderr\tlast 1600 *bytes* of process stderr",
    ),
    "maintail": Command(
        maintail,
        "maintail -f \tContinuous tail of supervisor main log file (Ctrl-C to exit)",
        "maintail -100\tlast 100 *bytes* of supervisord main log file",
        "maintail\tlast 1600 *bytes* of supervisor main log file",
        "",
    ),
}
