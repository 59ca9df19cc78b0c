"""A log as a stream: nothing is missed, nothing is polled, nothing is left open."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from supervise.daemon.follow import follow, last
from tests.support.inside import run


class Growth:
    """A log whose writer is the test."""

    def __init__(self, path: Path) -> None:
        self.path: str | None = str(path)
        self.followers: tuple[Callable[[], None], ...] = ()
        self._file = path

    def write(self, data: bytes) -> None:
        with self._file.open("ab") as file:
            file.write(data)
        self.told()

    def told(self) -> None:
        for follower in self.followers:
            follower()


async def _until(chunks: AsyncIterator[bytes], wanted: bytes) -> None:
    heard = b""
    while heard != wanted:
        heard += await anext(chunks)
        assert wanted.startswith(heard)


def test_it_begins_with_the_end_and_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = Growth(tmp_path / "log")
        log.write(b"0123456789")
        chunks = follow(log, 4)
        await _until(chunks, b"6789")

        log.write(b"new")
        await _until(chunks, b"new")

        await chunks.aclose()  # type: ignore[attr-defined]
        assert log.followers == ()

    run(scenario)


def test_a_rotation_is_followed_and_its_last_bytes_are_not_missed(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = Growth(tmp_path / "log")
        log.write(b"a")
        chunks = follow(log, 100)
        await _until(chunks, b"a")
        waiting = asyncio.ensure_future(anext(chunks))

        with (tmp_path / "log").open("ab") as file:
            file.write(b"before")
        (tmp_path / "log").rename(tmp_path / "log.1")
        log.write(b"after")

        assert await waiting == b"before"
        await _until(chunks, b"after")

    run(scenario)


def test_an_emptied_log_begins_anew(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = Growth(tmp_path / "log")
        log.write(b"a long line")
        chunks = follow(log, 100)
        await _until(chunks, b"a long line")

        (tmp_path / "log").write_bytes(b"")
        log.write(b"short")

        await _until(chunks, b"short")

    run(scenario)


def test_the_last_bytes_come_in_pieces_that_fit_into_frames(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = Growth(tmp_path / "log")
        data = os.urandom(200_000)
        log.write(data)

        pieces = [piece async for piece in last(log, 150_000)]

        assert b"".join(pieces) == data[-150_000:]
        assert max(map(len, pieces)) <= 64 * 1024
        assert [piece async for piece in last(log, 0)] == [b""]

    run(scenario)


def test_what_is_not_there_raises(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = Growth(tmp_path / "nosuch")
        for stream in (follow, last):
            with pytest.raises(FileNotFoundError):
                await anext(stream(log, 10))
        assert log.followers == ()

    run(scenario)
