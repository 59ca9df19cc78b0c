"""Results as supervisorctl 4.3 prints them; pure.

Source of the words: recorded output of supervisorctl 4.3.0 (``tests/golden``).
"""

from __future__ import annotations

from collections.abc import Sequence

from supervise.wire import Frame

WORDS = {
    "BAD_NAME": "no such process",
    "BAD_SIGNAL": "bad signal name",
    "NO_FILE": "no such file",
    "NOT_EXECUTABLE": "file is not executable",
    "ALREADY_STARTED": "already started",
    "NOT_RUNNING": "not running",
    "SPAWN_ERROR": "spawn error",
    "ABNORMAL_TERMINATION": "abnormal termination",
    "SHUTDOWN_STATE": "shutting down",
}

_GREEN, _YELLOW, _RED, _FAINT = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m"
_PLAIN = "\x1b[0m"
_COLOURS = {
    "RUNNING": _GREEN,
    "STARTING": _YELLOW,
    "BACKOFF": _YELLOW,
    "STOPPING": _YELLOW,
    "FATAL": _RED,
    "UNKNOWN": _RED,
    "STOPPED": _FAINT,
    "EXITED": _FAINT,
}
_NARROWEST = 30  # columns of a name; three blanks follow the longest


def is_failure(result: Frame) -> bool:
    """Tell a Fault (``BAD_NAME``) from a success (``started``); a status has no code."""
    return str(result.get("code", "")).isupper()


def is_group(result: Frame) -> bool:
    """Tell whether a result is about a whole group, as those of ``nosuch:*`` are."""
    return "process" in result and result["process"] is None


def outcome(result: Frame) -> str:
    """Give ``web: started``, ``web: ERROR (not running)`` or the like."""
    code = str(result["code"])
    if not is_failure(result):
        return f"{result['name']}: {code}"
    if code == "BAD_NAME" and is_group(result):
        return f"{result['group']}: ERROR (no such group)"
    words = WORDS.get(code) or result.get("text") or code.lower().replace("_", " ")
    return f"{result['name']}: ERROR ({words})"


def table(results: Sequence[Frame], *, colours: bool) -> str:
    """Give one line for each status, its columns aligned, without a final newline."""
    width = max([_NARROWEST, *(len(result["name"]) for result in results)]) + 3
    return "\n".join(
        f"{result['name']:<{width}}{_state(result['state'], colours=colours)}"
        f"{result['description']}"
        for result in results
    )


def _state(state: str, *, colours: bool) -> str:
    cell = f"{state:<10}"
    if not colours or state not in _COLOURS:
        return cell
    return cell.replace(state, f"{_COLOURS[state]}{state}{_PLAIN}")
