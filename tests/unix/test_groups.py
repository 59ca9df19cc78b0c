"""Who of a group lives: zombies do not count, and nobody is forgotten."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path

import pytest

from supervise.core.machine import Start
from supervise.core.spec import AutoRestart
from supervise.unix.groups import Census, EmptyWatch, _from_psutil, everybody
from tests.support.children import LEAVES_BEHIND, Announcements, command, kill
from tests.support.inside import house, program, run


def test_a_census_knows_us_by_our_group() -> None:
    assert os.getpid() in everybody()[os.getpgid(0)]


def test_where_there_is_no_proc_the_census_knows_us_too() -> None:
    assert (os.getpid(), os.getpgid(0)) in set(_from_psutil())


def test_a_thousand_questions_in_one_turn_are_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []

    def count() -> dict[int, list[int]]:
        counts.append(1)
        return {}

    monkeypatch.setattr("supervise.unix.groups.everybody", count)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        census = Census(loop)
        empty: list[int] = []
        for group in range(1000):
            EmptyWatch(loop, group, partial(empty.append, group), census=census).look()
        assert len(empty) == 1000
        assert len(counts) == 1

        turned = asyncio.Event()
        loop.call_soon(turned.set)
        await turned.wait()
        census.members(1)
        assert len(counts) == 2

    run(scenario)


@pytest.mark.parametrize("use_pidfd", [True, False])
def test_it_is_told_when_the_last_member_has_ended(tmp_path: Path, *, use_pidfd: bool) -> None:
    async def scenario() -> None:
        with Announcements(tmp_path) as said:
            async with house(tmp_path) as here:
                once = command(tmp_path, LEAVES_BEHIND, said.path)
                runner = here.runner(program("x", once, autorestart=AutoRestart.NEVER))
                runner.tell(Start())
                member = int(said.line())
                assert runner.child is not None
                leader = runner.child.pid
                loop = asyncio.get_running_loop()
                empty = asyncio.Event()
                watch = EmptyWatch(
                    loop, leader, empty.set, census=Census(loop), use_pidfd=use_pidfd
                )
                watch.look()
                assert sorted(everybody()[leader]) == sorted([leader, member])

                kill(leader)
                kill(member)
                await empty.wait()

                assert leader not in everybody()

    run(scenario)
