"""What start, stop, restart, signal and clear share: a line for each process as it settles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from supervise.ctl.command import GENERIC, Console
from supervise.ctl.render import is_failure, is_group, outcome
from supervise.wire import Frame


def names_of(words: Sequence[str]) -> list[str]:
    """Give the names to send: ``all`` among others means all, once."""
    return ["all"] if "all" in words else list(words)


def show(
    results: Iterable[Frame],
    console: Console,
    exit_codes: Mapping[str, int],
    *,
    bad_group: int = GENERIC,
    failed: str = "FAILED: {text}",
) -> int:
    """Print each result when it comes; the last failure sets the exit code.

    ``exit_codes`` are those that are not 1; 0 is a failure that scripts may ignore.
    ``failed`` are the words for a fault that has none of its own.
    """
    code = 0
    for result in results:
        plain = result["code"] == "FAILED"
        console.say(failed.format_map(result) if plain else outcome(result))
        console.hint(result.get("hint") or ())
        if is_failure(result):
            other = bad_group if is_group(result) else GENERIC
            code = exit_codes.get(result["code"], other) or code
    return code
