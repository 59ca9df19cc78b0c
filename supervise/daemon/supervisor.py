"""The daemon's life: start what starts by itself, hear signals, go down in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable

from supervise.core import order
from supervise.core.machine import Force, Hold, Start, Stop
from supervise.core.spec import GroupSpec
from supervise.daemon.log import Log
from supervise.daemon.narrate import Narrator
from supervise.daemon.process import Runner
from supervise.daemon.registry import Registry
from supervise.daemon.service import Service
from supervise.daemon.waiting import stopped
from supervise.unix.signals import name_of

STOP_SIGNALS = {
    signal.SIGTERM: "exit request",
    signal.SIGINT: "exit request",
    signal.SIGQUIT: "exit request",
}
FORCED = 5.0  # seconds that SIGKILL may take to be obeyed, at the end of shutdown_timeout


class Supervisor:
    """Runs from the first start to the last stop; asked to end by ``shutdown`` or ``reload``."""

    def __init__(
        self,
        registry: Registry,
        service: Service,
        *,
        log: Log,
        narrator: Narrator,
        shutdown_timeout: float,
    ) -> None:
        self._registry = registry
        self._service = service
        self._log = log
        self._narrator = narrator
        self._shutdown_timeout = shutdown_timeout
        self._asked = asyncio.Event()
        self._gone = asyncio.Event()

    def hear(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to the signals that mean something to us."""
        for number, what in STOP_SIGNALS.items():
            loop.add_signal_handler(number, self._exit_signal, number, what)
        loop.add_signal_handler(signal.SIGHUP, self._hangup)
        loop.add_signal_handler(signal.SIGUSR2, self._reopen)

    def _exit_signal(self, number: int, what: str) -> None:
        self._log.warn(f"received {name_of(number)} indicating {what}")
        self.shutdown()

    def _hangup(self) -> None:
        if self._service.stopping is not None:
            self._log.warn("received SIGHUP, but shutdown is in progress: ignored")
            return
        self._log.warn("received SIGHUP indicating restart request")
        self._tasks_reload = asyncio.ensure_future(self._reload_if_sound())

    async def _reload_if_sound(self) -> None:
        """Restart, unless the files would not let us start again."""
        from supervise.errors import Refusal  # noqa: PLC0415

        try:
            await self.reload()
        except Refusal as refusal:
            self._log.critical(f"not restarted: {refusal}")

    def _reopen(self) -> None:
        self._log.info("received SIGUSR2 indicating log reopen request")
        self._log.reopen()
        for runner in self._registry:
            if runner.outputs is not None:
                runner.outputs.reopen()

    def shutdown(self) -> None:
        """Begin to go down, for good."""
        if self._service.stopping is None:
            self._service.stopping = "SHUTDOWN"
        self._asked.set()

    async def reload(self) -> None:
        """Begin to go down, to start again with what the files say now.

        Raises Refusal(CANT_REREAD) if they say nothing sound: then nothing is stopped.
        """
        await self._service.reread()
        if self._service.stopping is None:
            self._service.stopping = "RESTARTING"
        self._asked.set()

    async def gone(self) -> None:
        """Wait until every process has stopped."""
        await self._gone.wait()

    def start_all(self, groups: Iterable[GroupSpec]) -> None:
        """Take the groups in and start what starts by itself, in order of priority."""
        groups = list(groups)
        for group in groups:
            self._registry.add(group)
        for spec in order.start_order(groups):
            if spec.autostart:
                self._registry.groups[spec.group].runners[spec.name].tell(Start())

    async def run(self) -> str:
        """Wait until asked to end, then end; gives "SHUTDOWN" or "RESTARTING"."""
        await self._asked.wait()
        assert self._service.stopping is not None
        for runner in self._registry:
            runner.tell(Hold())
        try:
            async with asyncio.timeout(self._shutdown_timeout or None):
                await self._stop_lanes()
        except TimeoutError:
            self._log.warn(
                f"shutdown_timeout of {self._shutdown_timeout:g} seconds is over: killing the rest"
            )
            await self._kill_rest()
        self._gone.set()
        return self._service.stopping

    async def _stop_lanes(self) -> None:
        """Stop all, the highest priority number first, a lane at a time."""
        for lane in order.stop_lanes([group.spec for group in self._registry.groups.values()]):
            runners = [
                runner
                for group in lane
                for runner in self._registry.groups[group.name].runners.values()
            ]
            alive = [runner for runner in runners if runner.child is not None]
            if alive:
                self._narrator.waiting(runner.spec.name for runner in alive)
            for runner in runners:
                runner.tell(Stop())
            for runner in alive:
                await stopped(runner)

    async def _kill_rest(self) -> None:
        rest: list[Runner] = [runner for runner in self._registry if runner.child is not None]
        for runner in rest:
            runner.tell(Force())
        try:
            async with asyncio.timeout(FORCED):
                for runner in rest:
                    await stopped(runner)
        except TimeoutError:
            left = ", ".join(f"{runner.name} (pid {runner.process.pid})" for runner in rest)
            self._log.critical(f"could not be killed and may still run: {left}")
