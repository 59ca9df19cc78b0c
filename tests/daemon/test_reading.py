"""The configuration is read beside everything else, once for each change of the files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from supervise.clock import SystemClock
from supervise.core.spec import Plan
from supervise.daemon.reading import Reader, argv, read_first
from supervise.errors import ConfigError
from tests.support.children import ended, our_descriptors
from tests.support.inside import House, house, run

CONF = "[supervisord]\n[program:x]\ncommand=true\n"


def _reader(here: House, path: Path, plan: Plan) -> Reader:
    command = argv(str(path), str(path.parent), {})
    kit = here.kit
    return Reader(
        str(path), command, spawner=kit.spawner, reaper=kit.reaper, clock=SystemClock(), plan=plan
    )


def _old(path: Path) -> None:
    """Make a file so old that a change since would show."""
    for each in (path, path.parent):
        os.utime(each, (1_000_000_000, 1_000_000_000))


def test_what_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text(CONF)
    _old(path)
    first = read_first(str(path), str(tmp_path), {})

    async def scenario() -> None:
        async with house(tmp_path / "logs") as here:
            reader = _reader(here, path, first)
            assert await reader.read() is first

            path.write_text(CONF + "[program:y]\ncommand=true\n")
            second = await reader.read()

            assert {group.name for group in second.groups} == {"x", "y"}

    run(scenario)


def test_problems_are_told_and_the_next_reading_may_be_sound(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text(CONF)
    first = read_first(str(path), str(tmp_path), {})

    async def scenario() -> None:
        async with house(tmp_path / "logs") as here:
            reader = _reader(here, path, first)
            path.write_text(CONF + "startsecs=soon\n")
            with pytest.raises(ConfigError, match=r"conf:4: \[program:x\] startsecs"):
                await reader.read()

            path.write_text(CONF)
            assert [group.name for group in (await reader.read()).groups] == ["x"]

    run(scenario)


def _running(mark: str) -> list[int]:
    """Give the pids of live processes that were started with the word ``mark``."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if mark in (process.info["cmdline"] or ()) and process.info["status"] != "zombie"
    ]


async def _turns_until(question: Callable[[], bool]) -> None:
    """Let the loop turn until the answer is yes; the deadline is that of ``run``."""
    while not question():
        turned = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, turned.set)
        await turned.wait()


def test_a_reading_that_nobody_waits_for_any_more_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    os.mkfifo(path)  # a file that takes for ever

    async def scenario() -> None:
        async with house(tmp_path / "logs") as here:
            reader = _reader(here, path, Plan())
            before = len(our_descriptors())
            mark = str(path)
            reading = asyncio.ensure_future(reader.read())
            await _turns_until(lambda: bool(_running(mark)))
            (child,) = _running(mark)

            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

            assert len(our_descriptors()) == before
            ended(child)

    run(scenario)


def test_a_reader_that_ends_strangely_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            kit = here.kit
            reader = Reader(
                "the file", ["sh", "-c", "echo why >&2; exit 9"],
                spawner=kit.spawner, reaper=kit.reaper, clock=SystemClock(), plan=Plan(),
            )  # fmt: skip
            with pytest.raises(ConfigError, match="the file: the reader ended with status 9: why"):
                await reader.read()

    run(scenario)


def test_a_reader_that_says_too_much_is_ended_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervise.daemon.reading.LARGEST", 100_000)

    async def scenario() -> None:
        async with house(tmp_path) as here:
            kit = here.kit
            reader = Reader(
                "the file", ["sh", "-c", "head -c 200000 /dev/zero; exec sleep 1000"],
                spawner=kit.spawner, reaper=kit.reaper, clock=SystemClock(), plan=Plan(),
            )  # fmt: skip
            before = our_descriptors()
            tasks = asyncio.all_tasks()

            with pytest.raises(ConfigError, match=r"the file: .* more than 100000 bytes"):
                await reader.read()

            assert our_descriptors() == before
            assert asyncio.all_tasks() == tasks

    run(scenario)
