"""The daemon's life: start what starts by itself, hear signals, go down in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from functools import partial

from supervise.core import order
from supervise.core.machine import Force, Start, Stop
from supervise.core.spec import GroupSpec
from supervise.daemon.log import Log
from supervise.daemon.narrate import Narrator
from supervise.daemon.process import Runner
from supervise.daemon.registry import Registry
from supervise.daemon.service import Service
from supervise.daemon.waiting import Breath, stopped
from supervise.errors import Refusal
from supervise.names import ProcessName
from supervise.unix.listen import SignalListener
from supervise.unix.signals import name_of

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
HEARD = (*STOP_SIGNALS, signal.SIGHUP, signal.SIGUSR2)
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
        self._reloading: asyncio.Future[None] | None = None

    def hear(self, listener: SignalListener) -> None:
        """Listen to the signals that mean something to us."""
        for number in STOP_SIGNALS:
            listener.on(number, partial(self._exit_signal, number))
        listener.on(signal.SIGHUP, self._hangup)
        listener.on(signal.SIGUSR2, self._reopen)

    def _exit_signal(self, number: int) -> None:
        self._log.warn(f"received {name_of(number)} indicating exit request")
        self.shutdown()

    def _hangup(self) -> None:
        if self._service.stopping is not None:
            self._log.warn("received SIGHUP, but shutdown is in progress: ignored")
            return
        self._log.warn("received SIGHUP indicating restart request")
        self._reloading = asyncio.ensure_future(self._reload_if_sound())

    async def _reload_if_sound(self) -> None:
        """Restart, unless the files would not let us start again."""
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
        """Begin to go down, for good; also where a restart was asked for before."""
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

    async def start_all(self, groups: Iterable[GroupSpec]) -> None:
        """Take the groups in and start what starts by itself, in order of priority.

        Commands are answered meanwhile: what one of them started, stopped or removed is
        left as it is.
        """
        groups = list(groups)
        for group in groups:
            self._registry.add(group)
        breath = Breath()
        for spec in order.start_order(groups):
            if self._service.stopping is not None:
                return
            runner = self._registry.find(ProcessName(spec.group, spec.name))
            if spec.autostart and runner is not None and not runner.touched:
                runner.tell(Start())
            await breath.take()

    async def run(self) -> str:
        """Wait until asked to end, then end; gives "SHUTDOWN" or "RESTARTING"."""
        await self._asked.wait()
        assert self._service.stopping is not None
        self._registry.hold()
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
                if group.name in self._registry.groups  # an update may have got it gone by now
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
            left = ", ".join(
                f"{runner.name} (pid {runner.child.pid})"
                for runner in rest
                if runner.child is not None
            )
            self._log.critical(f"could not be killed and may still run: {left}")
