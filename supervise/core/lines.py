"""Bytes cut into lines, and terminal escapes taken out, whatever the chunks they come in.

Pure: bytes in, bytes out, the same for every way of cutting the input. What is
kept between two chunks is bounded.
"""

from __future__ import annotations

import re

LINE_LIMIT = 64 * 1024

# ECMA-48: control sequences (colours, cursor), strings up to ST or BEL (titles, links), and
# escapes of two or three bytes. The limits keep a stray ESC in binary data from hiding it.
_STRING = rb"[\]PX^_][^\x07\x1b]{0,1024}"
_COMPLETE = (
    rb"\[[0-?]{0,64}[ -/]{0,4}[@-~]"
    rb"|" + _STRING + rb"(?:\x07|\x1b\\)"
    rb"|[ -/]{1,4}[0-~]"
    rb"|[0-OQ-WYZ\\`-~]"
)
_BEGUN = rb"(?:\[[0-?]{0,64}[ -/]{0,4}|" + _STRING + rb"\x1b?|[ -/]{0,4})\Z"
_ESCAPE = re.compile(rb"\x1b(?:" + _COMPLETE + rb"|(" + _BEGUN + rb"))")


class AnsiStripper:
    """Takes ANSI escape sequences out of a stream of bytes."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = b""  # a sequence whose end has not come yet, about 1 KiB at most

    def feed(self, data: bytes) -> bytes:
        """``data`` without its escapes; the beginning of one waits for the next call."""
        if self._begun:
            data = self._begun + data
            self._begun = b""
        if b"\x1b" not in data:
            return data
        return _ESCAPE.sub(self._replace, data)

    def flush(self) -> bytes:
        """The stream has ended: a sequence that never did was text after all."""
        begun, self._begun = self._begun, b""
        return begun

    def _replace(self, match: re.Match[bytes]) -> bytes:
        if match[1] is not None:
            self._begun = match[0]
        return b""


class LineSplitter:
    """Cuts a stream of bytes into lines; one longer than ``limit`` comes in pieces of it."""

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now, without their newlines."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        lines = [piece for line in whole for piece in self._pieces(line)]
        if len(self._rest) > self._limit:
            *pieces, self._rest = self._pieces(self._rest)
            lines += pieces
        return lines

    def flush(self) -> list[bytes]:
        """The stream has ended: its last line, if that had no newline."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []

    def _pieces(self, line: bytes) -> list[bytes]:
        limit = self._limit
        return [line[at : at + limit] for at in range(0, len(line), limit)] or [b""]
