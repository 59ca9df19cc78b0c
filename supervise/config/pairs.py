"""``KEY="value",KEY2=value2``: the environment as supervisord writes it.

Pure. Source of the rules: Supervisor 4.3, ``datatypes.dict_of_key_value_pairs``; what
its next release understands beyond that is understood too.
"""

from __future__ import annotations

import re

from supervise.config.values import plain

_QUICK = re.compile(
    r"""\s*([\w/.+\-():]+)\s*=\s*("[^"]*"|'[^']*'|[\w/.+\-():]+)\s*(?:,|$)""", re.ASCII
)


def pairs(value: object) -> dict[str, str]:
    """Take ``KEY="value",KEY2=value2`` or a table.

    supervisord up to 4.3 knows no escapes in quotes; its next release does. What
    the first understands means what it means there, the rest is read the newer way.
    """
    if isinstance(value, dict):
        return {_variable(key): plain(each) for key, each in value.items()}
    text = plain(value).strip()
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _QUICK.match(text, position)
        if match is None:
            return _pairs_by_shlex(text)
        found[_variable(match[1])] = match[2].strip("'\"")
        position = match.end()
    return found


def _pairs_by_shlex(text: str) -> dict[str, str]:
    """Read what is not plain: the old way if that comes out clean, else the new, else the old."""
    old, clean = _tokens_to_pairs(text, posix=False)
    if not clean:
        new, clean = _tokens_to_pairs(text, posix=True)
        old = new if clean else old
    if old is None:
        raise ValueError(
            f'Unexpected end of key/value pairs in value {text!r}; write KEY="value",KEY2="value2"'
        )
    return {_variable(key): each for key, each in old.items()}


def _tokens_to_pairs(text: str, *, posix: bool) -> tuple[dict[str, str] | None, bool]:
    """Give the pairs, or None, and whether a comma stood between each two of them."""
    import shlex  # noqa: PLC0415 - rare, and slow to start

    lexer = shlex.shlex(text, posix=posix)
    lexer.wordchars += "/.+-():"
    try:
        tokens = list(lexer)
    except ValueError:
        return None, False
    found: dict[str, str] = {}
    for start in range(0, len(tokens), 4):
        pair = tokens[start : start + 3]
        if len(pair) < 3 or pair[1] != "=":  # noqa: PLR2004 - key, equals, value
            return None, False
        found[pair[0]] = pair[2] if posix else pair[2].strip("'\"")
    return found, all(token == "," for token in tokens[3::4])  # noqa: S105 - not a password


def _variable(key: str) -> str:
    if not key or "=" in key or "\0" in key:
        raise ValueError(f"not a name for a variable: {key!r}")
    return key
