"""The socket: accepts, looks at the first byte, and lets nobody cost the others anything.

``{`` opens the native protocol. HTTP (XML-RPC, ``POST /api``) is to share the socket; for
now its first line is answered with 501. Every stranger has limits: bytes of a request,
seconds to send it, seconds to take an answer, connections at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import socket
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from supervise import wire
from supervise.control.connection import Connection, Hangups, TooLong
from supervise.control.native import Native
from supervise.core.spec import ServerSpec
from supervise.daemon.log import Log
from supervise.errors import Fault, Refusal
from supervise.unix.sockets import BACKLOG, peer

MOST_CONNECTIONS = 512
REQUEST_TIMEOUT = 60.0  # seconds from connect, or from the last answer, to a whole request
ANSWER_TIMEOUT = 30.0  # seconds that a client may leave an answer in its buffer
CLOSE_TIMEOUT = 1.0  # seconds that the last answers have when the daemon goes
QUIET = frozenset(
    {"status", "pid", "tail", "maintail", "avail", "version", "info", "reread"}
)  # they change nothing, so the log does not name who asked
_NOT_YET = b"this superd answers native frames only; superctl sends them\n"
NOT_HTTP = (
    b"HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_NOT_YET), _NOT_YET)
)


class Server:
    """Answers on one listening socket."""

    def __init__(self, spec: ServerSpec, native: Native, log: Log) -> None:
        self._spec = spec
        self._native = native
        self._log = log
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._idle: dict[Connection, None] = {}  # who waits for nothing, longest first
        self._hangups: Hangups | None = None

    async def open(self, sock: socket.socket) -> None:
        """Start to accept."""
        loop = asyncio.get_running_loop()
        hangups = self._hangups = Hangups(loop)
        self._server = await loop.create_unix_server(
            lambda: Connection(self._connected, hangups), sock=sock, backlog=BACKLOG
        )

    async def close(self) -> None:
        """Stop to accept and end every connection; may be called twice and before open."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in tuple(self._idle):
            connection.close()
        tasks = tuple(self._connections)
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._hangups is not None:
            self._hangups.close()

    def _connected(self, connection: Connection) -> None:
        if len(self._connections) >= MOST_CONNECTIONS:
            longest = next(iter(self._idle), connection)
            self._idle.pop(longest, None)
            longest.close(now=True)
            if longest is connection:  # all of them wait for answers
                return
        task = asyncio.ensure_future(self._serve(connection))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, connection: Connection) -> None:
        """Serve one client to its end: the border at which errors become log lines."""
        hurry = True
        try:
            await self._converse(connection)
            hurry = False
        except (ConnectionError, TimeoutError):
            pass  # it hung up, or sleeps
        except Exception as error:  # noqa: BLE001 - one client is a border
            self._log.critical(f"a request failed: {type(error).__name__}: {error}")
        finally:
            connection.close(now=hurry)

    async def _converse(self, connection: Connection) -> None:
        trusted = self._spec.username is None
        while True:
            self._idle[connection] = None
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT):
                    line = await connection.read_line(wire.MAX_REQUEST)
            except TooLong:
                text = f"a request of more than {wire.MAX_REQUEST} bytes"
                await _send(connection, wire.error(None, Fault.BAD_ARGUMENTS.name, text))
                return
            finally:
                self._idle.pop(connection, None)
            if line is None:
                return
            if not line.startswith(b"{"):
                await connection.send(NOT_HTTP, ANSWER_TIMEOUT)
                return
            try:
                frame = wire.decode(line)
            except wire.FrameError as error:
                await _send(connection, wire.error(None, Fault.BAD_ARGUMENTS.name, str(error)))
                return
            trusted = trusted or self._knows(frame.get("auth"))
            if not trusted:
                text = "a username and a password are needed"
                await _send(connection, wire.error(frame.get("id"), "UNAUTHORIZED", text))
                return
            await self._answer(frame, connection)

    def _knows(self, auth: object) -> bool:
        """Whether ``auth`` is this server's username and password; takes the same time always."""
        if not isinstance(auth, dict):
            return False
        username, password = auth.get("username"), auth.get("password")
        if not isinstance(username, str) or not isinstance(password, str):
            return False
        return self._matches(username, password)

    def _matches(self, username: str, password: str) -> bool:
        wanted = self._spec.password or ""
        if wanted.startswith("{SHA}"):
            import hashlib  # noqa: PLC0415 - only a server with such a password needs it

            password = "{SHA}" + hashlib.sha1(_bytes(password)).hexdigest()  # noqa: S324 - upstream's
            wanted = "{SHA}" + wanted[5:].lower()
        same_user = hmac.compare_digest(_bytes(username), _bytes(self._spec.username or ""))
        return hmac.compare_digest(_bytes(password), _bytes(wanted)) and same_user

    async def _answer(self, frame: wire.Frame, connection: Connection) -> None:
        """Send the results of one request as they come; stop when the client is gone."""
        number, method, params = frame.get("id"), frame.get("method"), frame.get("params", {})
        if not isinstance(method, str) or not isinstance(params, dict):
            text = "a request has a method (a string) and params (an object)"
            await _send(connection, wire.error(number, Fault.INCORRECT_PARAMETERS.name, text))
            return
        if method not in QUIET:
            self._log.info(f"{_shown(method, params)} asked by {_caller(connection)}")
        try:
            results = self._native.call(method, params)
            await _while_there(_pump(results, number, connection), connection.gone)
        except Refusal as refusal:
            text = refusal.text or refusal.fault.name
            await _send(connection, wire.error(number, refusal.fault.name, text))
        else:
            await _send(connection, wire.end(number))


def _bytes(text: str) -> bytes:
    """Give what a stranger sent, or a file says, as bytes, whatever it is."""
    return text.encode("utf-8", "surrogatepass")


async def _pump(
    results: AsyncGenerator[dict[str, Any], None], number: object, connection: Connection
) -> None:
    """Send each result the moment it is known."""
    async with contextlib.aclosing(results):
        async for answer in results:
            await _send(connection, wire.result(number, answer))


async def _while_there(work: Coroutine[Any, Any, None], gone: asyncio.Future[None]) -> None:
    """Do ``work`` until the client hangs up, which ends the waiting and not what it asked for.

    Raises ConnectionAbortedError if it did.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    if task.cancelled():
        raise ConnectionAbortedError
    task.result()


async def _send(connection: Connection, frame: wire.Frame) -> None:
    await connection.send(wire.encode(frame), ANSWER_TIMEOUT)


def _caller(connection: Connection) -> str:
    """Name who is at the other end, as the kernel knows it."""
    found = None if connection.socket is None else peer(connection.socket)
    return "an unknown client" if found is None else f"pid {found[0]} uid {found[1]}"


def _shown(method: str, params: dict[str, Any]) -> str:
    names = params.get("names") or params.get("groups") or []
    text = " ".join(map(str, names)) if isinstance(names, list) else ""
    return f"{method[:40]} {text[:200]}".rstrip()
