"""What is wrong with a configuration, in the user's words: no jargon, no addresses of manuals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def closest(word: str, known: Iterable[str]) -> str | None:
    """Give the one of ``known`` that ``word`` was probably meant to be."""
    import difflib  # noqa: PLC0415 - only when something is wrong

    spelled = {each.lower(): each for each in known}
    near = difflib.get_close_matches(word.lower(), spelled, n=1, cutoff=0.7)
    return spelled[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str], shape: str = "{}") -> str:
    """Give ``; did you mean startsecs?``, or nothing if nothing is near."""
    near = closest(word, known)
    return f"; did you mean {shape.format(near)}?" if near else ""


def complaints(error: ValidationError) -> Iterator[tuple[str | None, str]]:
    """Give key (None for the section as a whole) and text of everything pydantic objects to."""
    for detail in error.errors(include_url=False):
        key = str(detail["loc"][0]) if detail["loc"] else None
        match detail["type"]:
            case "missing":
                yield key, "required, and not there"
            case "value_error":
                yield key, str(detail["ctx"]["error"])
            case _:
                yield key, f"{detail['msg'].lower()}: {detail['input']!r}"
