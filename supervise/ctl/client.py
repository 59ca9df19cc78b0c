"""The blocking client of the native protocol: one connection for each request.

A connection for each costs 0.1 ms and means that nothing goes stale between two
lines typed into the shell, whatever became of the server meanwhile. The frames are
described in ``supervise/wire.py``; no other file of superctl knows them.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from io import BufferedReader

from supervise import wire
from supervise.ctl.command import CallError, Client, LostConnectionError, UnreachableError

PATIENCE = 10.0  # seconds to connect and to take a request; an answer may take its time
_LONGEST_PATH = 107  # bytes in sockaddr_un on Linux, without the final zero
_LAST_PORT = 65535
_REFUSED, _MISSING = ("refused connection", 4), ("no such file", 7)  # words, exit code
_NO_SERVER = {
    errno.ECONNREFUSED: _REFUSED,
    errno.ENOENT: _MISSING,
    errno.ENOTDIR: _MISSING,
}
_FORBIDDEN = "it belongs to another user: try sudo, or set chown and chmod in [unix_http_server]"


class NativeClient(Client):
    """Speaks native frames to ``unix://PATH``."""

    def __init__(
        self, serverurl: str, username: str | None = None, password: str | None = None
    ) -> None:
        self.serverurl = serverurl
        self._auth: wire.Frame | None = None
        if username or password:
            self.log_in(username or "", password or "")

    def turn_to(self, serverurl: str) -> None:
        self.serverurl = serverurl

    def log_in(self, username: str, password: str) -> None:
        self._auth = {"username": username, "password": password}

    def call(self, method: str, **params: object) -> Iterator[wire.Frame]:
        request = wire.encode(wire.request(1, method, params, self._auth))
        if len(request) > wire.MAX_REQUEST:
            raise CallError(
                "INCORRECT_PARAMETERS",
                f"the request has {len(request)} bytes, {wire.MAX_REQUEST} are allowed; "
                "use a group (name:*) or a pattern",
            )
        with self._connect() as connection, connection.makefile("rb") as stream:
            try:
                connection.sendall(request)
                connection.settimeout(None)
                yield from self._results(stream)
            except OSError as error:
                raise LostConnectionError(f"{self.serverurl}: {_reason(error)}") from error

    def _connect(self) -> socket.socket:
        """Connect, or say in supervisorctl's words why not."""
        connection, address = self._address()
        _be_patient(connection)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            raise self._unreachable(error) from error
        if connection.family != socket.AF_UNIX:
            connection.close()
            reason = "answers, but superctl speaks only to unix:// servers yet"
            raise UnreachableError(self.serverurl, reason)
        return connection

    def _unreachable(self, error: OSError) -> UnreachableError:
        if error.errno in _NO_SERVER:
            reason, exit_code = _NO_SERVER[error.errno]
            return UnreachableError(self.serverurl, reason, exit_code, down=True)
        hint = _FORBIDDEN if error.errno in (errno.EACCES, errno.EPERM) else ""
        return UnreachableError(self.serverurl, _reason(error), hint=hint)

    def _address(self) -> tuple[socket.socket, str | tuple[str, int]]:
        scheme, _, rest = self.serverurl.partition("://")
        if scheme == "unix" and rest:
            size = len(os.fsencode(rest))
            if size > _LONGEST_PATH:
                reason = f"is too long for a socket: {size} bytes, at most {_LONGEST_PATH}"
                raise UnreachableError(self.serverurl, reason)
            return socket.socket(socket.AF_UNIX), rest
        host, _, port = rest.rstrip("/").rpartition(":")
        if scheme == "http" and port.isdecimal() and int(port) <= _LAST_PORT:
            return socket.socket(socket.AF_INET), (host, int(port))
        raise UnreachableError(self.serverurl, "is no unix:///path and no http://host:port")

    def _results(self, stream: BufferedReader) -> Iterator[wire.Frame]:
        while True:
            match self._next(stream):
                case {"result": dict(result)}:
                    yield result
                case {"end": _}:
                    return
                case {"error": {"code": str(code), "text": str(text)}}:
                    raise CallError(code, text)
                case frame:
                    text = f"{self.serverurl} sent a frame that is no answer: {str(frame)[:80]}"
                    raise LostConnectionError(text)

    def _next(self, stream: BufferedReader) -> wire.Frame:
        line = stream.readline(wire.MAX_FRAME)
        if not line.endswith(b"\n"):
            if len(line) == wire.MAX_FRAME:
                problem = f"sent a frame longer than {wire.MAX_FRAME} bytes"
            else:
                problem = "hung up before the answer was complete"
            raise LostConnectionError(f"{self.serverurl} {problem}")
        try:
            return wire.decode(line)
        except wire.FrameError as error:
            text = f"{self.serverurl} sent {str(line[:40])[1:]}: {error}"
            raise LostConnectionError(text) from error


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"did not answer within {PATIENCE:g} seconds"
    return (error.strerror or str(error)).lower()


def _be_patient(connection: socket.socket) -> None:
    """Bound the time to connect and to send.

    On a Unix socket by the kernel: with a timeout of Python's a full queue of a busy
    server would be an error at once.
    """
    if connection.family == socket.AF_UNIX:
        limit = struct.pack("ll", int(PATIENCE), int(PATIENCE % 1 * 1_000_000))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    else:
        connection.settimeout(PATIENCE)
