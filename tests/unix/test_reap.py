"""Every death is told once, and what nobody watches is collected all the same."""

from __future__ import annotations

import asyncio
import os

import pytest

from supervise.core.machine import ExitStatus
from supervise.unix.listen import SignalListener
from supervise.unix.reap import Reaper
from supervise.unix.spawn import Child, Spawner
from tests.support.children import exists, kill
from tests.support.inside import program, run

BOTH = pytest.mark.parametrize("use_pidfd", [True, False], ids=["pidfd", "sigchld"])


class Ward:
    """A reaper with children, and what it told."""

    def __init__(self, *, use_pidfd: bool) -> None:
        loop = asyncio.get_running_loop()
        self.orphans: asyncio.Queue[tuple[int, ExitStatus]] = asyncio.Queue()
        self.dead: asyncio.Queue[tuple[int, ExitStatus]] = asyncio.Queue()
        self.spawner = Spawner(os.environ, use_pidfd=use_pidfd)
        self.reaper = Reaper(lambda pid, status: self.orphans.put_nowait((pid, status)))
        self.listener = SignalListener(loop)
        self.reaper.install(loop, self.listener)

    def child(self, line: str) -> Child:
        child = self.spawner.spawn(program("x", line), {}, stdout=False, stderr=False)
        assert child.stdin is not None
        os.close(child.stdin)
        return child

    def watch(self, child: Child, *, collect: bool = True) -> None:
        def died(status: ExitStatus) -> bool:
            self.dead.put_nowait((child.pid, status))
            if child.pidfd is not None:
                self.reaper.forget_fd(child.pidfd)
                os.close(child.pidfd)
            return collect

        self.reaper.watch(child.pid, child.pidfd, died)

    def close(self) -> None:
        self.reaper.close()
        self.reaper.close()
        self.listener.close()
        self.listener.close()
        self.spawner.close()


@BOTH
def test_each_of_many_deaths_is_told_once(*, use_pidfd: bool) -> None:
    async def scenario() -> None:
        ward = Ward(use_pidfd=use_pidfd)
        children = [ward.child("sleep 1000") for _ in range(50)]
        for child in children:
            ward.watch(child)
        for child in children:
            kill(child.pid)

        told = [await ward.dead.get() for _ in children]

        assert {pid for pid, _ in told} == {child.pid for child in children}
        assert {status for _, status in told} == {ExitStatus(-1, 9)}
        assert ward.dead.empty()
        assert ward.orphans.empty()
        ward.close()

    run(scenario)


@BOTH
def test_a_child_that_is_dead_already_when_it_is_watched_is_told(*, use_pidfd: bool) -> None:
    async def scenario() -> None:
        ward = Ward(use_pidfd=use_pidfd)
        child = ward.child("true")
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - a look

        ward.watch(child)

        assert await ward.dead.get() == (child.pid, ExitStatus(0))
        ward.close()

    run(scenario)


@BOTH
def test_a_held_child_stays_a_zombie_and_hides_nobody(*, use_pidfd: bool) -> None:
    async def scenario() -> None:
        ward = Ward(use_pidfd=use_pidfd)
        held, other, stranger = (ward.child("sleep 1000") for _ in range(3))
        ward.watch(held, collect=False)
        ward.watch(other)
        if stranger.pidfd is not None:
            os.close(stranger.pidfd)
        kill(held.pid)
        assert (await ward.dead.get())[0] == held.pid

        kill(stranger.pid)
        assert (await ward.orphans.get())[0] == stranger.pid
        kill(other.pid)
        assert (await ward.dead.get())[0] == other.pid

        assert exists(held.pid)
        assert not exists(stranger.pid)
        ward.reaper.release(held.pid)
        assert not exists(held.pid)
        ward.close()

    run(scenario)


def test_an_exit_and_a_signal_are_told_apart() -> None:
    async def scenario() -> None:
        ward = Ward(use_pidfd=True)
        ward.watch(ward.child("sh -c 'exit 255'"))
        assert (await ward.dead.get())[1] == ExitStatus(255)
        ward.watch(ward.child("sh -c 'ulimit -c 0; kill -SEGV $$'"))
        assert (await ward.dead.get())[1] == ExitStatus(-1, 11, core=False)
        ward.close()

    run(scenario)
