"""Lines to the local syslog daemon, without ever waiting for it.

The C library's ``syslog`` blocks when the daemon does not read; this is the same
datagram (RFC 3164) sent without blocking, and lost if there is no room.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time

PATH = "/dev/log"
USER = 1 << 3  # the facility
CRIT, ERR, WARNING, INFO, DEBUG = 2, 3, 4, 6, 7


class Syslog:
    """One sender; connects when the first line comes, and again after a restart of syslogd."""

    __slots__ = ("_identifier", "_path", "_socket", "lost")

    def __init__(self, identifier: str, path: str = PATH) -> None:
        self.lost = 0  # lines nobody took
        self._identifier = identifier
        self._path = path
        self._socket: socket.socket | None = None

    def send(self, severity: int, text: str) -> None:
        """Send one line, or count it as lost. Never raises for what syslogd does."""
        stamp = time.strftime("%b %e %H:%M:%S")
        line = f"<{USER | severity}>{stamp} {self._identifier}[{os.getpid()}]: {text}"
        data = line.encode(errors="backslashreplace")
        for _ in range(2):  # the second time with a new socket: syslogd may have been restarted
            with contextlib.suppress(OSError):
                self._connected().send(data, socket.MSG_DONTWAIT)
                return
            self.close()
        self.lost += 1

    def close(self) -> None:
        """Give the socket back; the next line connects again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            new = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            try:
                new.connect(self._path)
            except OSError:
                new.close()
                raise
            self._socket = new
        return self._socket
