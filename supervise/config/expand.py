"""``%(name)s`` in values: Python's ``%`` with a dictionary, and errors that help.

Pure. Source of the rules: Supervisor 4.3, ``options.expand``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_NAME = re.compile(r"%\(([^)]*)\)")
_WIDE = re.compile(r"%\([^)]*\)[#0\- +]*(?:\d{4}|\d*\.\d{4})")  # it could fill the memory
_LOOSE = re.compile(r"%(?!\()")


class Names(dict[str, object]):
    """What can be expanded. A bare ``%s`` would print all of it, secrets too: it may not."""

    def __str__(self) -> str:
        raise ValueError("a name in parentheses must follow the %")

    __repr__ = __str__


class ExpansionError(ValueError):
    """A text that cannot be expanded; says what is wrong in the user's words."""


def environment_names(environ: Mapping[str, str]) -> dict[str, str]:
    """Give ``ENV_X`` for every variable."""
    return {f"ENV_{key}": value for key, value in environ.items()}


def expand(text: str, names: Names) -> str:
    """Expand ``text``. Raises ExpansionError."""
    if "%" not in text:
        return text
    if _WIDE.search(text):
        raise ExpansionError(f"{text!r} is badly formatted: a width has at most three digits")
    try:
        return text % names
    except KeyError as error:
        raise ExpansionError(_unknown(text, names, str(error.args[0]))) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ExpansionError(_badly_formatted(text, error)) from None


def expand_all(value: object, names: Names) -> object:
    """Expand every text in ``value``, which may be a list or a table as TOML has them."""
    match value:
        case str():
            return expand(value, names)
        case list():
            return [expand_all(each, names) for each in value]
        case dict():
            return {key: expand_all(each, names) for key, each in value.items()}
        case _:
            return value


def varies(value: object) -> bool:
    """Tell whether expanding ``value`` could change it."""
    match value:
        case str():
            return "%" in value
        case list():
            return any(varies(each) for each in value)
        case dict():
            return any(varies(each) for each in value.values())
        case _:
            return False


def _unknown(text: str, names: Names, first: str) -> str:
    missing = dict.fromkeys([first, *(name for name in _NAME.findall(text) if name not in names)])
    available = sorted(name for name in names if not name.startswith("ENV_"))
    return (
        f"{text!r} contains names ({', '.join(map(repr, missing))}) which cannot be expanded; "
        f"available names: {', '.join(available)}, and ENV_X for each variable X that is set"
        f"{_did_you_mean(missing, names)}"
    )


def _did_you_mean(missing: Iterable[str], names: Names) -> str:
    found = [f"%({near})s" for name in missing if (near := _closest(name, names))]
    return f"; did you mean {', '.join(found)}?" if found else ""


def _closest(name: str, names: Names) -> str | None:
    from supervise.config.explain import closest  # noqa: PLC0415 - difflib, only when needed

    prefix = "ENV_" if name.startswith("ENV_") else ""  # which would make all of them alike
    known = [each.removeprefix(prefix) for each in names if each.startswith(prefix)]
    near = closest(name.removeprefix(prefix), known)
    return None if near is None else prefix + near


def _badly_formatted(text: str, error: Exception) -> str:
    loose = _LOOSE.search(text.replace("%%", ""))
    why = "a name in parentheses must follow the %" if loose else str(error)
    return f"{text!r} is badly formatted: {why}; a literal % is written %%"
