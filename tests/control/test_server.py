"""What a stranger can cost is bounded in number and in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from supervise.control import server as module
from supervise.control.native import Native
from supervise.control.server import Server
from supervise.core.spec import ServerSpec
from supervise.unix.sockets import listen
from tests.support.heard import Heard
from tests.support.inside import run


class Answers:
    """In the place of the commands: one answer, an error of ours, or a wait without end."""

    def call(self, method: str, params: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        return self._call(method, params)

    async def _call(self, method: str, _: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        if method == "bug":
            raise ZeroDivisionError("oh dear")
        yield {"answer": method}
        if method == "wait":
            await asyncio.get_running_loop().create_future()


@contextlib.asynccontextmanager
async def _serving(home: Path, log: Heard) -> AsyncIterator[Path]:
    spec = ServerSpec("unix_http_server", path=str(home / "s"))
    listener = listen(spec)
    server = Server(spec, cast("Native", Answers()), log)
    await server.open(listener.socket)
    try:
        yield home / "s"
    finally:
        await server.close()
        await server.close()
        listener.close()


async def _ask(path: Path, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(data)
    await writer.drain()
    return reader, writer


async def _bye(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def test_half_a_request_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.05)

    async def scenario() -> None:
        async with _serving(tmp_path, Heard()) as path:
            reader, writer = await _ask(path, b'{"id": 1, "meth')

            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""

            await _bye(writer)

    run(scenario)


def test_an_error_of_ours_ends_one_connection_and_is_logged(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = Heard()
        async with _serving(tmp_path, log) as path:
            reader, writer = await _ask(path, b'{"id": 1, "method": "bug"}\n')
            with contextlib.suppress(ConnectionError):
                await reader.read()
            await _bye(writer)
            assert "oh dear" in await log.until("a request failed")

            reader, writer = await _ask(path, b'{"id": 2, "method": "info"}\n')
            assert b'"answer":"info"' in await reader.readline()
            await _bye(writer)

    run(scenario)


def test_who_is_idle_longest_makes_room_for_who_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 3)

    async def scenario() -> None:
        async with _serving(tmp_path, Heard()) as path:
            busy = await _ask(path, b'{"id": 1, "method": "wait"}\n')
            await busy[0].readline()
            idle = [await _ask(path, b"") for _ in range(2)]

            reader, writer = await _ask(path, b'{"id": 2, "method": "info"}\n')
            assert b'"answer":"info"' in await reader.readline()

            with contextlib.suppress(ConnectionError):
                assert await idle[0][0].read() == b""
            idle[1][1].write(b'{"id": 3, "method": "info"}\n')
            assert b'"id":3' in await idle[1][0].readline()
            for _, other in (busy, *idle):
                await _bye(other)
            await _bye(writer)

    run(scenario)


def test_it_closes_at_once_although_somebody_is_connected(tmp_path: Path) -> None:
    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        async with _serving(tmp_path, Heard()) as path:
            _, writer = await _ask(path, b"")
            turned = await _ask(path, b'{"id": 1, "method": "info"}\n')
            await turned[0].readline()
            began = loop.time()
        await _bye(writer)
        await _bye(turned[1])
        return loop.time() - began

    assert run(scenario) < module.CLOSE_TIMEOUT / 2
