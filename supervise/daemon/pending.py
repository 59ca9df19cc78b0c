"""What became of a command, process by process, in the order in which it settles.

Nothing is polled: each process tells of the change that settles its part.
Source of the order of questions: Supervisor 4.3, ``rpcinterface.py`` (startProcess).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from supervise.core.machine import RUNNING_STATES, Announce, State
from supervise.daemon.process import Runner
from supervise.errors import Fault
from supervise.names import ProcessName


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a command for one process; ``process`` is None for a whole group.

    ``code`` is a success in lower case or the name of a Fault; ``hint`` is for people.
    """

    group: str
    process: str | None
    code: str
    text: str = ""
    hint: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Give the name as it is printed: ``web``, ``g:web_00``, or the group alone."""
        if self.process is None:
            return self.group
        return str(ProcessName(self.group, self.process))


Settled = Callable[[Runner, Announce], Result | None]


class Pending:
    """Results of processes that have not settled yet, in the order in which they do."""

    def __init__(self, settled: Settled) -> None:
        self._settle = settled
        self._queue: asyncio.Queue[Result] = asyncio.Queue()
        self._open: set[ProcessName] = set()

    def give(self, result: Result) -> None:
        """Add a result that is known already."""
        self._queue.put_nowait(result)

    def expect(self, runner: Runner, then: Callable[[], None] | None = None) -> None:
        """Wait for ``runner`` to settle; with ``then`` first to stop, then for what follows."""
        self._open.add(runner.name)
        if then is None:
            runner.when(self._notice)
            return
        loop = asyncio.get_running_loop()

        def once_stopped(_: Runner, change: Announce) -> bool:
            if change.new is State.STOPPING:
                return False
            runner.when(self._notice)
            # Not within the announcement: the machine is in the middle of a step.
            loop.call_soon(then)
            return True

        runner.when(once_stopped)

    def _notice(self, runner: Runner, change: Announce) -> bool:
        if runner.name not in self._open:
            return True
        result = self._settle(runner, change)
        if result is None:
            return False
        self.drop(runner, result)
        return True

    def drop(self, runner: Runner, result: Result) -> None:
        """Settle ``runner`` by hand."""
        self._open.discard(runner.name)
        self._queue.put_nowait(result)

    def settled(self, runner: Runner) -> bool:
        return runner.name not in self._open

    def ready(self) -> list[Result]:
        """Give what has settled by now, without waiting."""
        found = []
        while not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    async def __aiter__(self) -> AsyncIterator[Result]:
        while self._open or not self._queue.empty():
            yield await self._queue.get()


def start_settled(runner: Runner, change: Announce) -> Result | None:
    """Say how a start ended, if this change says so. Upstream's order of questions."""
    match change.new:
        case State.STARTING:
            return None
        case State.RUNNING:
            return done(runner, "started")
        case _ if change.reason:
            return refused(
                runner, Fault.SPAWN_ERROR, change.reason, hint=_hint(runner, change.reason)
            )
        case _:
            return refused(runner, Fault.ABNORMAL_TERMINATION, hint=_hint(runner, ""))


def stop_settled(runner: Runner, change: Announce) -> Result | None:
    """Say how a stop ended, if this change says so."""
    match change.new:
        case State.STOPPED | State.EXITED | State.FATAL:
            return done(runner, "stopped")
        case State.UNKNOWN:
            return refused(runner, Fault.FAILED, change.reason)
        case _:
            return None


def stoppable(runner: Runner) -> bool:
    """Whether there is something to stop: a child, a retry or a pending restart."""
    process = runner.process
    return (
        process.state in RUNNING_STATES
        or process.state in (State.STOPPING, State.UNKNOWN)
        or process.restart_pending
    )


def done(runner: Runner, code: str) -> Result:
    """Give a success for ``runner``."""
    return Result(runner.name.group, runner.name.process, code)


def spawned(runner: Runner) -> Result:
    """Say whether a start that nobody waits for has got off the ground."""
    process = runner.process
    if process.state in (State.BACKOFF, State.FATAL):
        return refused(runner, Fault.SPAWN_ERROR, process.reason, hint=(process.reason,))
    return done(runner, "started")


def refused(runner: Runner, fault: Fault, text: str = "", hint: tuple[str, ...] = ()) -> Result:
    """Give a failure for ``runner``."""
    return Result(runner.name.group, runner.name.process, fault.name, text, hint)


def _hint(runner: Runner, reason: str) -> tuple[str, ...]:
    """Give the reason, the last lines of a process that did not start, and where more are."""
    channel, lines = runner.last_lines()
    more = f"more: superctl tail {runner.name} {channel}" if lines else ""
    return tuple(line for line in (reason, *lines, more) if line)
