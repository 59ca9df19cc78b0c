"""A DSN taken apart: ``scheme://rest?option=value``, with what it takes from outside filled in.

Pure. Only ``%(ENV_X)s`` and ``%(here)s`` are filled in; every other per cent sign
is part of the DSN (``%40`` in a password).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from workers.errors import ConfigError, NotConfiguredError, did_you_mean

_PLACE = re.compile(r"%\((?:ENV_(?P<variable>[^)]+)|here)\)s")
_DSN = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^?]*)(?:\?(?P<query>.*))?")


@dataclass(frozen=True, slots=True)
class Dsn:
    """``rest`` is what stands between ``://`` and ``?``, as it was written."""

    scheme: str
    rest: str
    options: Mapping[str, str]


def expand(transport: str, text: str, environ: Mapping[str, str], here: str) -> str:
    """Fill in the environment variables, and for ``here`` the directory of the configuration.

    Raises:
        NotConfiguredError: a variable is not set; the text names it and the transport.
    """

    def fill(place: re.Match[str]) -> str:
        variable = place["variable"]
        if variable is None:
            return here
        if variable not in environ:
            raise NotConfiguredError(
                f'transport "{transport}" is not configured: the environment variable '
                f"{variable} is not set"
            )
        return environ[variable]

    return _PLACE.sub(fill, text)


def parse(transport: str, text: str, options: Mapping[str, str] | None = None) -> Dsn:
    """Take ``text`` apart; what its query says goes before ``options``.

    Raises:
        ConfigError: it has no scheme. The text shows no more than the scheme, since
            the rest may hold a password.
    """
    found = _DSN.fullmatch(text.strip())
    if found is None:
        shown = text.partition(":")[0] if "@" in text else text
        raise ConfigError(
            [f'transport "{transport}": "{shown}" is not a DSN; write sqlite:///var/messages.db']
        )
    query = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    return Dsn(found["scheme"].lower(), found["rest"], {**(options or {}), **query})


def check_options(transport: str, dsn: Dsn, known: Iterable[str]) -> None:
    """Refuse what the transport does not know.

    Raises:
        ConfigError: a line for each unknown option, with those that are known.
    """
    known = sorted(known)
    listed = f"known options are {', '.join(known)}" if known else f"{dsn.scheme} has none"
    problems = [
        f'transport "{transport}": unknown option "{option}"'
        f"{did_you_mean(option, known)} ({listed})"
        for option in dsn.options
        if option not in known
    ]
    if problems:
        raise ConfigError(problems)


def file_of(transport: str, dsn: Dsn, root: Path) -> Path:
    """Give the absolute path of ``sqlite:///relative`` or ``sqlite:////absolute``.

    Raises:
        ConfigError: there is no path, or something stands where a host would.
    """
    if not dsn.rest.startswith("/") or dsn.rest == "/":
        name = dsn.rest.strip("/") or "var/messages.db"
        right = f"{dsn.scheme}:///{name} (from the root) or {dsn.scheme}:////{name} (absolute)"
        raise ConfigError(
            [f'transport "{transport}": {dsn.scheme}://{dsn.rest} names no file; write {right}']
        )
    path = unquote(dsn.rest[1:])
    if path == ":memory:":
        raise ConfigError(
            [f'transport "{transport}": {path} ends with the process; write in-memory://']
        )
    return Path(root, path).absolute()


def flag(transport: str, dsn: Dsn, option: str) -> bool:
    """Read an option that is true or false; false when it is not there.

    Raises:
        ConfigError: it is something else.
    """
    value = dsn.options.get(option, "false").lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off", ""):
        return False
    raise ConfigError([f'transport "{transport}": {option}={value}: write true or false'])
