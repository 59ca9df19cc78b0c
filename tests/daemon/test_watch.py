"""One epoll for all pipes: everybody is heard, nobody alone, and silence costs nothing."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import Awaitable, Callable

import pytest

from supervise.daemon.watch import AT_ONCE, Watch


def scenario(story: Callable[[Watch, list[tuple[int, int]]], Awaitable[None]]) -> None:
    async def run() -> None:
        watch = Watch(asyncio.get_running_loop())
        pipes = [os.pipe() for _ in range(3 * AT_ONCE)]
        try:
            async with asyncio.timeout(10):
                await story(watch, pipes)
        finally:
            watch.close()
            watch.close()
            for fd in (fd for pipe in pipes for fd in pipe):
                os.close(fd)

    asyncio.run(run())


@pytest.mark.parametrize("platform", ["linux", "darwin"], ids=["epoll", "without epoll"])
def test_every_pipe_is_heard_though_only_some_are_taken_in_one_turn(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    async def story(watch: Watch, pipes: list[tuple[int, int]]) -> None:
        heard: set[int] = set()
        all_heard = asyncio.Event()

        def callback(fd: int) -> int:
            count = len(os.read(fd, 10))
            heard.add(fd)
            if len(heard) == len(pipes):
                all_heard.set()
            return count

        for read, write in pipes:
            watch.add(read, callback)
            os.write(write, b"x")
        await all_heard.wait()

    scenario(story)


def test_bytes_that_come_one_by_one_are_taken_together() -> None:
    async def story(watch: Watch, pipes: list[tuple[int, int]]) -> None:
        read, write = pipes[0]
        batches: list[bytes] = []
        complete = asyncio.Event()
        loop = asyncio.get_running_loop()

        def callback(fd: int) -> int:
            batches.append(os.read(fd, 1000))
            if sum(map(len, batches)) == 200:
                complete.set()
            return len(batches[-1])

        def trickle(left: int) -> None:
            os.write(write, b"x")
            if left > 1:
                loop.call_soon(trickle, left - 1)

        watch.add(read, callback)
        trickle(200)
        await complete.wait()

        assert len(batches) < 100

    scenario(story)


def test_a_pipe_that_is_removed_is_not_heard_any_more() -> None:
    async def story(watch: Watch, pipes: list[tuple[int, int]]) -> None:
        (first, first_write), (second, second_write) = pipes[:2]
        heard: list[int] = []
        done = asyncio.Event()

        def callback(fd: int) -> int:
            heard.append(fd)
            watch.remove(first)
            watch.remove(second)
            done.set()
            return 0

        watch.add(first, callback)
        watch.add(second, callback)
        os.write(first_write, b"x")
        os.write(second_write, b"x")
        await done.wait()

        assert len(heard) == 1

    scenario(story)


def test_while_nobody_writes_nothing_wakes_the_loop() -> None:
    async def story(watch: Watch, pipes: list[tuple[int, int]]) -> None:
        loop = asyncio.get_running_loop()
        read, write = pipes[0]
        calm = asyncio.Event()
        watch.add(read, lambda fd: len(os.read(fd, 10)))
        os.write(write, b"x")
        loop.call_later(0.1, calm.set)
        await calm.wait()
        calm.clear()

        before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
        loop.call_later(0.3, calm.set)
        await calm.wait()

        assert resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before < 10

    scenario(story)
