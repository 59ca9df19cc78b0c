"""Where the log of a command goes: lines on standard error by verbosity, and a file.

Source of the levels and of the line: Symfony's ConsoleHandler, in a full application.
"""

from __future__ import annotations

import logging
import sys
import time
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Final, TextIO

NOTICE: Final = 25
_LEVELS: Final = {-1: logging.ERROR, 0: logging.WARNING, 1: NOTICE, 2: logging.INFO}
_CONSOLE: Final = "%(asctime)s %(levelname)-9s [%(name)s] %(message)s"
_FILE: Final = "%(asctime)s %(levelname)-8s %(process)d [%(name)s] %(message)s"


def configure(verbosity: int, stderr: TextIO, file: Path | None, level: str) -> None:
    """Send every log record of this process to ``stderr`` and to ``file``.

    ``verbosity`` is -1 for ``-q`` and the number of v's otherwise; ``level`` is the
    lowest that goes into the file.
    """
    logging.addLevelName(NOTICE, "NOTICE")
    _leave_out_what_no_line_shows()
    console = logging.StreamHandler(stderr)
    console.setLevel(_LEVELS.get(verbosity, logging.DEBUG))
    console.setFormatter(_Formatter(_CONSOLE, "%H:%M:%S"))
    handlers: list[logging.Handler] = [console]
    if file is not None:
        handlers += _file_handler(file, logging.getLevelName(level.upper()), stderr)
    logging.basicConfig(handlers=handlers, level=min(one.level for one in handlers), force=True)


def _leave_out_what_no_line_shows() -> None:
    """Spare three lines a message the look at who called, and in which thread.

    The switches are those of the logging module's own documentation ("Optimization").
    """
    logging._srcfile = None  # noqa: SLF001 - as documented there
    logging.logThreads = False
    logging.logMultiprocessing = False


class _Formatter(logging.Formatter):
    """Writes the time of day once a second."""

    _second = -1
    _text = ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        second = int(record.created)
        if second != self._second:
            self._text = time.strftime(datefmt or "%Y-%m-%d %H:%M:%S", time.localtime(second))
            self._second = second
        return self._text if datefmt else f"{self._text},{int(record.msecs):03d}"


class _File(WatchedFileHandler):
    """A log file that may be moved away at any time; trouble with it is said once."""

    def __init__(self, path: Path, stderr: TextIO) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self._stderr = stderr
        self._told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if not self._told:
            self._told = True
            path = self.baseFilename
            print(
                f"messenger: the log {path} cannot be written: {sys.exception()}", file=self._stderr
            )
        del record


def _file_handler(file: Path, level: int, stderr: TextIO) -> list[logging.Handler]:
    """Open the log; without it the command still does its work, and says so."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = _File(file, stderr)
    except OSError as error:
        print(f"messenger: no log: {file}: {error.strerror}", file=stderr)
        return []
    handler.setLevel(level)
    handler.setFormatter(_Formatter(_FILE))
    return [handler]
