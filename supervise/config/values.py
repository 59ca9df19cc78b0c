"""What a value may be: text as INI has it, or what TOML has natively, into what we use.

Pure: no file, no user, no clock is looked at. Each function raises ValueError with
what is wrong and what would be right. Source of the rules: Supervisor 4.3,
``supervisor/datatypes.py``; every value it accepts is accepted here.
"""

from __future__ import annotations

import math
import re
import signal

from supervise.core.spec import AUTO, AutoRestart, Backoff

SYSLOG = "syslog"  # a log file of this name is the system's log
LOG_LEVELS = ("critical", "error", "warn", "info", "debug", "trace", "blather")

_TRUE = frozenset({"yes", "true", "on", "1"})
_FALSE = frozenset({"no", "false", "off", "0"})
_UNITS = {"kb": 1024, "mb": 1024**2, "gb": 1024**3}
_BREAKING = frozenset(" :/")  # in a name
_MOST_PORT = 0xFFFF
_MOST_EXIT_CODE = 255


def boolean(value: object) -> bool:
    """Take yes, true, on, 1 and no, false, off, 0 in any case."""
    text = str(value).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"not a valid boolean value: {value!r}; say true or false")


def integer(value: object) -> int:
    """Take a whole number, as text or as a number."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        try:
            return int(value)
        except ValueError:
            pass
    raise ValueError(f"not a whole number: {value!r}")


def at_least_zero(value: object) -> int:
    """Take a whole number; a negative one, which supervisord lets pass, means 0."""
    return max(0, integer(value))


def seconds(value: object) -> float:
    """Take a number of seconds, perhaps with a fraction; a negative one means 0."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return max(0.0, number)
    raise ValueError(f"not a number of seconds: {value!r}; write 10 or 0.5")


def share(value: object) -> float:
    """Take a number from 0 to 1."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except ValueError:
        number = math.nan
    if 0 <= number <= 1:
        return number
    raise ValueError(f"not a number from 0 to 1: {value!r}")


def byte_size(value: object) -> int:
    """Take bytes, or a number with KB, MB or GB behind it; a negative one means 0."""
    text = str(value).strip().lower()
    unit = _UNITS.get(text[-2:])
    try:
        return max(0, int(text[:-2]) * unit if unit else int(text))
    except ValueError:
        raise ValueError(f"not a size: {value!r}; write 52428800 or 50MB (KB, MB, GB)") from None


def octal(value: object) -> int:
    """Take octal digits; a number is taken as it is, TOML writes it 0o022."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        number = int(str(value), 8)
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError(f"not an octal number: {value!r}; write 022 or 0700")
    return number


def signal_number(value: object) -> int:
    """Take a signal's name, with or without SIG, or its number."""
    text = str(value).strip().upper()
    try:
        number = int(text)
    except ValueError:
        name = text if text.startswith("SIG") else f"SIG{text}"
        found = signal.Signals.__members__.get(name)
        if found is None:
            raise ValueError(f"no signal is called {value!r}; write TERM, QUIT, 9 ...") from None
        return int(found)
    if not 0 <= number < signal.NSIG:
        raise ValueError(f"there is no signal {number}; they go up to {signal.NSIG - 1}")
    return number


def strings(value: object) -> tuple[str, ...]:
    """Take ``a, b`` or a list; empty items do not count."""
    if isinstance(value, list | tuple):
        items = [str(item).strip() for item in value]
    elif isinstance(value, str):
        items = [item.strip() for item in value.split(",")]
    else:
        raise ValueError(f"not a list: {value!r}")  # noqa: TRY004 - pydantic wants ValueError
    return tuple(item for item in items if item)


def patterns(value: object) -> tuple[str, ...]:
    """Take patterns separated by white space, or a list of them."""
    return tuple(value.split()) if isinstance(value, str) else strings(value)


def exit_codes(value: object) -> tuple[int, ...]:
    """Take ``0,2``, a list of numbers or one number, each from 0 to 255."""
    items = [value] if isinstance(value, int) else strings(value)
    codes = []
    for item in items:
        try:
            code = integer(item)
        except ValueError:
            code = -1
        if not 0 <= code <= _MOST_EXIT_CODE:
            raise ValueError(f"not an exit code: {item!r}; write 0,2 (each from 0 to 255)")
        codes.append(code)
    return tuple(codes)


def auto_restart(value: object) -> AutoRestart:
    """Take true, false or unexpected."""
    text = str(value).lower()
    if text in _TRUE:
        return AutoRestart.ALWAYS
    if text in _FALSE:
        return AutoRestart.NEVER
    if text == AutoRestart.UNEXPECTED:
        return AutoRestart.UNEXPECTED
    raise ValueError(f"invalid value {value!r}; say true, false or unexpected")


def backoff(value: object) -> Backoff:
    """Take linear or exponential."""
    try:
        return Backoff(str(value).lower())
    except ValueError:
        raise ValueError(f"invalid value {value!r}; say linear or exponential") from None


def log_file(value: object) -> str | None:
    """Take a path, NONE or OFF (None), AUTO or syslog (in capitals whatever the case)."""
    text = str(value)
    match text.lower():
        case "" | "none" | "off":
            return None
        case "auto":
            return AUTO
        case "syslog":
            return SYSLOG
        case _:
            return no_nul(text)


def log_level(value: object) -> str:
    """Take one of the seven levels in any case."""
    text = str(value).lower()
    if text in LOG_LEVELS:
        return text
    raise ValueError(f"bad logging level name {value!r}; one of {', '.join(LOG_LEVELS)}")


def name(value: object) -> str:
    """Take a name for a process or a group, which parts of the protocols must not break."""
    text = str(value).strip()
    if not text:
        raise ValueError("a name cannot be empty")
    if text.isprintable() and _BREAKING.isdisjoint(text):
        return text
    bad = next(each for each in text if each in _BREAKING or not each.isprintable())
    raise ValueError(f"Invalid name: {text!r} because of character: {bad!r}")


def plain(value: object) -> str:
    """Take any text; numbers and booleans of TOML are written as one would type them."""
    match value:
        case str():
            return no_nul(value)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise ValueError(f"not a text: {value!r}")


def command(value: object) -> str:
    """Take a command line, or a list of its words, which are quoted as a shell would."""
    if isinstance(value, list):
        import shlex  # noqa: PLC0415 - TOML only

        return shlex.join(plain(word) for word in value)
    return plain(value)


def inet_address(value: object) -> tuple[str, int]:
    """Take ``host:port``, ``port``, ``:port``, ``*:port`` or ``[::1]:port``; "" is any host."""
    host, _, port = str(value).strip().rpartition(":")
    try:
        number = int(port)
    except ValueError:
        number = 0
    if not 1 <= number <= _MOST_PORT:
        raise ValueError(
            f"not an address: {value!r}; write 127.0.0.1:9001, [::1]:9001, "
            f"*:9001 or 9001 (port 1 to {_MOST_PORT})"
        )
    host = host.lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return ("" if host == "*" else host), number


_FCGI_TCP = re.compile(r"tcp://(\[[0-9a-f:]+\]|[^\s:]+):(\d+)$", re.IGNORECASE)


def fcgi_socket(value: object) -> str:
    """Take ``tcp://host:port`` or ``unix:///absolute/path``."""
    text = str(value).strip()
    tcp = _FCGI_TCP.match(text)
    if text.startswith("unix:///") or (tcp and 1 <= int(tcp[2]) <= _MOST_PORT):
        return no_nul(text)
    raise ValueError(f"bad socket {value!r}; write tcp://host:port or unix:///absolute/path")


def backlog(value: object) -> int:
    """Take the length of a socket's queue."""
    number = integer(value)
    if not 1 <= number <= _MOST_PORT:
        raise ValueError(f"Invalid socket_backlog value {number}; from 1 to {_MOST_PORT}")
    return number


def no_nul(text: str) -> str:
    """Refuse what no system call would take."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be part of it")
    return text
