"""Bytes in by lines, bytes out under pressure, and the end of a client in all its forms."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from supervise.control.connection import Connection, Hangups, TooLong
from tests.support.inside import run


@contextlib.asynccontextmanager
async def _pair() -> AsyncIterator[tuple[Connection, socket.socket]]:
    """Give a connection and the socket of its client."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    hangups = Hangups(loop)
    _, connection = await loop.connect_accepted_socket(
        lambda: Connection(lambda _: None, hangups), ours
    )
    try:
        yield connection, theirs
    finally:
        connection.close(now=True)
        theirs.close()
        await connection.gone
        hangups.close()
        hangups.close()


def test_lines_are_given_one_by_one_however_they_come() -> None:
    async def scenario() -> None:
        async with _pair() as (connection, client):
            client.send(b"one\ntw")
            assert await connection.read_line(100) == b"one\n"
            client.send(b"o\nrest")
            assert await connection.read_line(100) == b"two\n"
            client.shutdown(socket.SHUT_WR)
            assert await connection.read_line(100) is None

    run(scenario)


@pytest.mark.parametrize("data", [b"x" * 101, b"x" * 100 + b"\n"])
def test_a_line_that_is_too_long_is_refused(data: bytes) -> None:
    async def scenario() -> None:
        async with _pair() as (connection, client):
            client.send(data)
            with pytest.raises(TooLong):
                await connection.read_line(100)

    run(scenario)


def test_who_only_finished_talking_is_not_gone_and_who_then_closes_is() -> None:
    async def scenario() -> None:
        async with _pair() as (connection, client):
            client.shutdown(socket.SHUT_WR)
            assert await connection.read_line(100) is None
            assert not connection.gone.done()
            await connection.send(b"answer", 10)
            assert await asyncio.get_running_loop().sock_recv(client, 100) == b"answer"

            client.close()

            await connection.gone

    run(scenario)


def test_who_hangs_up_while_we_do_not_read_is_missed_all_the_same() -> None:
    async def scenario() -> None:
        async with _pair() as (connection, client):
            loop = asyncio.get_running_loop()
            while True:  # until it is not read any more
                try:
                    client.send(b"x" * 65536)
                except BlockingIOError:
                    turned = loop.create_future()
                    loop.call_soon(turned.set_result, None)
                    await turned
                    if len(connection._buffer) > 65536 and not _writable(client):
                        break
            client.close()

            await connection.gone

    run(scenario)


def _writable(sock: socket.socket) -> bool:
    try:
        return sock.send(b"x") > 0
    except BlockingIOError:
        return False


def test_a_client_that_does_not_read_is_waited_for_and_given_up() -> None:
    async def scenario() -> None:
        async with _pair() as (connection, _):
            with pytest.raises(TimeoutError):
                await connection.send(b"x" * 10_000_000, 0.05)

    run(scenario)


def test_nothing_is_sent_to_who_is_gone() -> None:
    async def scenario() -> None:
        async with _pair() as (connection, client):
            client.close()
            await connection.gone
            with pytest.raises(ConnectionAbortedError):
                await connection.send(b"x", 10)

    run(scenario)
