"""The daemon's own log: one event, one line, in the format other tools grep.

It never raises and never waits for a reader: what a full disk or a slow terminal
does not take is kept up to ``BACKLOG_BYTES``, then counted, and the count is told
as soon as there is room. Lines from before ``open`` wait for it.
Source of the format: Supervisor 4.3, ``supervisor/loggers.py``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from supervise.clock import Clock
from supervise.errors import ServerError
from supervise.unix.logfile import LogFile, tail
from supervise.unix.stream import Stream, is_stream, own_descriptor
from supervise.unix.syslog import CRIT, DEBUG, ERR, INFO, WARNING, Syslog

BACKLOG_BYTES = 64 * 1024
EARLY_LINES = 1000
SYSLOG = "syslog"  # as a path: not a file, the local syslog daemon
_STDOUT = "/dev/stdout"


class Level(IntEnum):
    """How much a line matters, with upstream's numbers; its name is the tag of the line."""

    CRIT = 50
    ERRO = 40
    WARN = 30
    INFO = 20
    DEBG = 10
    TRAC = 5
    BLAT = 3


LEVELS = {  # by the words of ``loglevel``
    "critical": Level.CRIT,
    "error": Level.ERRO,
    "warn": Level.WARN,
    "info": Level.INFO,
    "debug": Level.DEBG,
    "trace": Level.TRAC,
    "blather": Level.BLAT,
}
_SEVERITY = {Level.CRIT: CRIT, Level.ERRO: ERR, Level.WARN: WARNING, Level.INFO: INFO}
# Control characters (C0, DEL, C1, Unicode's line ends) as Python would write them; a tab stays.
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
_ESCAPES = {code: repr(chr(code))[1:-1] for code in _CONTROLS if chr(code) != "\t"}


class Log:
    """One for the daemon. Everything may be called before ``open`` and after ``close``."""

    def __init__(self, clock: Clock) -> None:
        self.level = Level.INFO
        self.path: str | None = None  # of the regular file, if it is one: it can be read back
        self.followers: tuple[Callable[[], None], ...] = ()  # called after the log has changed
        self._clock = clock
        self._early: deque[tuple[Level, float, str]] | None = deque(maxlen=EARLY_LINES)
        self._targets: list[_Target] = []
        self._syslog: Syslog | None = None
        self._second = -1
        self._stamp = ""

    def open(
        self, path: str | None, *, maxbytes: int = 0, backups: int = 0,
        level: Level = Level.INFO, echo: bool = False, identifier: str = "supervisor",
    ) -> None:  # fmt: skip
        """Write to ``path`` from now on, beginning with what was said before.

        ``path`` is a file, something like /dev/stdout, ``syslog``, or None. ``echo``
        writes to standard output too (in the foreground, unless silent).

        Raises:
            ServerError: the file cannot be written.
        """
        self.close()
        self.level = level
        targets: list[_Target] = []
        if path == SYSLOG:
            self._syslog = Syslog(identifier)
        elif path is not None:
            sink = Stream(path) if is_stream(path) else LogFile(path, maxbytes, backups)
            targets.append(_Target(sink))
            self.path = path if isinstance(sink, LogFile) else None
        if echo and (path is None or own_descriptor(path) != 1):
            targets.append(_Target(Stream(_STDOUT)))
        try:
            for target in targets[:1]:  # standard output may be closed: that is no reason
                target.sink.create()
        except OSError as error:
            text = f"cannot write the log {path}: {error.strerror}; name another logfile"
            raise ServerError(text) from error
        self._targets = targets
        self._say_what_waited()

    def critical(self, text: str) -> None:
        self.emit(Level.CRIT, text)

    def error(self, text: str) -> None:
        self.emit(Level.ERRO, text)

    def warn(self, text: str) -> None:
        self.emit(Level.WARN, text)

    def info(self, text: str) -> None:
        self.emit(Level.INFO, text)

    def debug(self, text: str) -> None:
        self.emit(Level.DEBG, text)

    def emit(self, level: Level, text: str) -> None:
        """Log ``text`` as one line, if ``level`` matters enough."""
        if self._early is not None:
            self._early.append((level, self._clock.wall(), text))
        elif level >= self.level:
            self._emit(level, self._clock.wall(), text)

    def reopen(self) -> None:
        """Go on in whatever has the log's name now (SIGUSR2). Never raises."""
        for target in self._targets:
            target.reopen()

    def clear(self) -> None:
        """Empty the log. Raises OSError."""
        for target in self._targets:
            target.sink.clear()
        for follower in self.followers:
            follower()

    def tail(self, nbytes: int) -> bytes:
        """The last ``nbytes`` of the log, nothing where it cannot be read back. Raises OSError."""
        return b"" if self.path is None else tail(self.path, nbytes)

    def flush(self) -> bool:
        """Try again to write what was kept; whether nothing is left."""
        left = [target for target in self._targets if not target.flush()]
        return not left

    def close(self) -> None:
        """Give descriptors back; what is said later waits for an ``open``. Twice is fine."""
        for target in self._targets:
            target.flush()
            target.sink.close()
        self._targets = []
        self.path = None
        if self._syslog is not None:
            self._syslog.close()
            self._syslog = None
        if self._early is None:
            self._early = deque(maxlen=EARLY_LINES)

    def _say_what_waited(self) -> None:
        early, self._early = self._early, None
        for level, moment, text in early or ():
            if level >= self.level:
                self._emit(level, moment, text)

    def _emit(self, level: Level, moment: float, text: str) -> None:
        if not text.isprintable():
            text = text.translate(_ESCAPES)
        if self._syslog is not None:
            self._syslog.send(_SEVERITY.get(level, DEBUG), f"{level.name} {text}")
        if not self._targets:
            return
        second = int(moment)
        if second != self._second:  # localtime costs more than all the rest
            self._second = second
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        milliseconds = int((moment - second) * 1000)
        line = f"{self._stamp},{milliseconds:03d} {level.name} {text}\n"
        data = line.encode(errors="backslashreplace")
        for target in self._targets:
            target.write(data)
        for follower in self.followers:
            follower()


class _Sink(Protocol):
    complaint: str | None

    def create(self) -> int: ...
    def write(self, data: bytes) -> int: ...
    def reopen(self) -> int: ...
    def clear(self) -> int: ...
    def close(self) -> None: ...


class _Target:
    """One place the log goes to, and what that place has not taken yet."""

    __slots__ = ("_kept", "_lost", "sink")

    def __init__(self, sink: _Sink) -> None:
        self.sink = sink
        self._kept = b""
        self._lost = 0

    def write(self, line: bytes) -> None:
        """Write one line after those that are kept, or keep it, or count it as lost."""
        if len(self._kept) + len(line) > BACKLOG_BYTES:
            self.flush()
        if len(self._kept) + len(line) > BACKLOG_BYTES:
            self._lost += 1
            return
        if self._lost:
            line = b"(%d lines were lost here: the log could not be written)\n" % self._lost + line
            self._lost = 0
        self._kept += line
        self.flush()

    def flush(self) -> bool:
        """Write as much of what is kept as there is room for now; whether that is all."""
        try:
            while self._kept:
                self._kept = self._kept[self.sink.write(self._kept) :]
        except OSError:
            return False
        if self.sink.complaint is not None:  # its file cannot be rotated: say it in the file
            self._kept, self.sink.complaint = f"{self.sink.complaint}\n".encode(), None
            return self.flush()
        return True

    def reopen(self) -> None:
        """Open what has the name now; if that fails, the next line tries again."""
        try:
            self.sink.reopen()
        except OSError:
            return
        self.flush()
