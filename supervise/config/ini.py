"""supervisord's dialect of INI, read with the line of every section and key.

Source of the rules: Python's ``RawConfigParser(strict=False,
inline_comment_prefixes=(";", "#"))``, which supervisord 4.3 uses; it cannot tell
line numbers. A property test holds both against each other.
"""

from __future__ import annotations

import re

from supervise.config.section import Entry, Reading, Section

_COMMENT = re.compile(r"(?:^|(?<=\s))[;#]")
_HEADER = re.compile(r"\[(.+)\]")
_DELIMITER = re.compile(r"[=:]")


def read(text: str, file: str, path: str, here: str) -> Reading:
    """Take ``text`` apart; a section said twice comes twice, in the order of the file."""
    return _Reader(file, path, here).read(text)


class _Reader:
    """Where in the file we are. ``_key`` is the one that an indented line would go on with."""

    def __init__(self, file: str, path: str, here: str) -> None:
        self._file = file
        self._path = path
        self._here = here
        self._reading = Reading()
        self._section: Section | None = None
        self._key = ""
        self._parts: list[str] = []
        self._key_line = 0
        self._indent = 0
        self._skipping = False  # inside something broken, of which we have complained

    def read(self, text: str) -> Reading:
        for number, line in enumerate(text.split("\n"), start=1):
            comment = _COMMENT.search(line) if ";" in line or "#" in line else None
            content = (line[: comment.start()] if comment else line).strip()
            if content:
                self._line(number, line, content)
            elif comment is None and self._key:
                self._parts.append("")
        self._keep()
        return self._reading

    def _line(self, number: int, line: str, content: str) -> None:
        indent = len(line) - len(line.lstrip())
        if indent > self._indent and self._key:
            self._parts.append(content)
            return
        if indent > self._indent and self._skipping:
            return
        self._keep()
        self._indent = indent
        self._skipping = False
        header = _HEADER.match(content)
        if header:
            self._section = Section(header[1], self._file, number, self._path)
            self._reading.sections.append(self._section)
        elif self._section is None:
            wrong = "has no ]" if content.startswith("[") else "stands before the first [section]"
            self._complain(number, f"{_shown(content)} {wrong}")
        else:
            self._option(number, content)

    def _option(self, number: int, content: str) -> None:
        delimiter = _DELIMITER.search(content)
        if delimiter is None or delimiter.start() == 0:
            self._complain(number, f"{_shown(content)} is not a section and not key=value")
            return
        self._key = content[: delimiter.start()].rstrip().lower()
        self._key_line = number
        self._parts = [content[delimiter.end() :].strip()]

    def _keep(self) -> None:
        if self._key and self._section is not None:
            value = "\n".join(self._parts).rstrip()
            entry = Entry(value, self._file, self._key_line, self._here)
            self._section.entries[self._key] = entry
        self._key = ""

    def _complain(self, number: int, text: str) -> None:
        self._reading.problems.append(f"{self._file}:{number}: {text}")
        self._skipping = True


def _shown(content: str) -> str:
    most = 60
    return repr(content if len(content) <= most else content[:most] + "...")
