"""Wires the daemon, once: the only place where everything is known to everything."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervise.clock import SystemClock
from supervise.control.native import Mood, Native
from supervise.control.server import Server
from supervise.core.spec import DaemonSpec, Plan
from supervise.daemon import reading
from supervise.daemon.bus import Bus
from supervise.daemon.capture import Capture
from supervise.daemon.log import LEVELS, Log
from supervise.daemon.narrate import Narrator
from supervise.daemon.outputs import OutputMaker
from supervise.daemon.process import Kit
from supervise.daemon.reading import Reader
from supervise.daemon.registry import Registry
from supervise.daemon.reload import Reload
from supervise.daemon.service import Service
from supervise.daemon.supervisor import HEARD, Supervisor
from supervise.errors import ConfigError, ForbiddenError, ServerError, SuperviseError
from supervise.unix import autolog, privileges, signals, sockets
from supervise.unix.daemonize import (
    daemonize,
    drop_descriptors,
    have_three_streams,
    keep_descriptors_to_ourselves,
)
from supervise.unix.groups import Census
from supervise.unix.listen import SignalListener
from supervise.unix.pidfile import PidFile
from supervise.unix.reap import Reaper, become_subreaper
from supervise.unix.sockets import UnixListener
from supervise.unix.spawn import Spawner


def run(path: str, overrides: Mapping[str, str]) -> str | None:
    """Run the daemon with the configuration ``path`` until it is told to end.

    Gives None after an orderly end, or what kept it from starting. ``overrides`` are keys
    of ``[supervisord]`` from the command line.
    """
    path, cwd = str(Path(path).absolute()), str(Path.cwd())
    neighbours = str(Path(sys.argv[0]).resolve().parent)
    born_with = privileges.descriptors()
    have_three_streams()
    signals.reset_ignored()
    if os.getpid() == 1:  # the kernel would drop what nobody listens to yet
        signals.hold_back(HEARD)
    before: DaemonSpec | None = None  # of the life before this one
    while True:
        try:
            plan = reading.read_first(path, cwd, overrides)
            life = _Life(path, reading.argv(path, cwd, overrides), plan, neighbours, born_with)
            ending = _once(life, first=before is None)
        except (ConfigError, ServerError) as error:
            if before is not None:
                _say_what_ended_it(before, error)
            return str(error)
        if ending != "RESTARTING":
            return None
        before = plan.daemon


def _say_what_ended_it(spec: DaemonSpec, error: SuperviseError) -> None:
    """Log why there is no further life: a daemon has no terminal to say it on."""
    log = Log(SystemClock())
    with contextlib.suppress(ServerError):
        _open_log(log, spec)
    log.critical(f"not started again: {error}")
    log.close()


@dataclass(slots=True)
class _Life:
    """What one life of the daemon is made from, and what it opened before there was a loop."""

    path: str
    command: Sequence[str]  # that reads the files again
    plan: Plan
    neighbours: str  # the directory superd was started from: programs are found there too
    born_with: int  # the soft limit of descriptors that nobody has raised yet
    clock: SystemClock = field(default_factory=SystemClock)
    limit: tuple[int, int] = (0, 0)
    listeners: list[UnixListener] = field(default_factory=list)
    log: Log = field(init=False)

    def __post_init__(self) -> None:
        self.log = Log(self.clock)


def _once(life: _Life, *, first: bool) -> str:
    """One life of the daemon, from a sound configuration to the last stop."""
    spec, log = life.plan.daemon, life.log
    if first:
        if not spec.nodaemon:
            drop_descriptors()
        keep_descriptors_to_ourselves()
    life.limit = privileges.raise_descriptors(spec.minfds, life.born_with)
    privileges.raise_processes(spec.minprocs)
    with contextlib.ExitStack() as closing:
        if spec.user is not None:
            privileges.become(spec.user)
        pidfile = PidFile(spec.pidfile)
        closing.callback(pidfile.close)
        try:
            pidfile.lock()
        except ForbiddenError as error:  # common where user= is said; upstream runs without one
            log.critical(str(error))
        for server in life.plan.servers:
            if server.path:
                life.listeners.append(sockets.listen(server))
                closing.callback(life.listeners[-1].close)
        closing.callback(log.close)
        _open_log(log, spec)
        if first and not spec.nodaemon:
            log.info("daemonizing the supervisord process")
            try:
                daemonize(spec.umask, spec.directory)
            except OSError as error:
                why = os.strerror(error.errno or 0)
                raise ServerError(f"cannot become a daemon in {spec.directory}: {why}") from error
        signals.hold_back(HEARD)  # who reads the pid may signal at once: nobody listens yet
        pidfile.write(os.getpid())
        _say_how_it_is(life)
        with asyncio.Runner() as runner:
            return runner.run(_main(life))


def _open_log(log: Log, spec: DaemonSpec) -> None:
    """Open the daemon's own log. Raises ServerError if it cannot be written."""
    log.open(
        spec.logfile,
        maxbytes=spec.logfile_maxbytes,
        backups=spec.logfile_backups,
        level=LEVELS[spec.loglevel],
        echo=spec.nodaemon and not spec.silent,
        identifier=spec.identifier,
    )


def _say_how_it_is(life: _Life) -> None:
    """Log what was noticed on the way, and tidy up after the last life."""
    spec, log = life.plan.daemon, life.log
    if not spec.nocleanup:
        autolog.clean(spec.childlogdir, spec.identifier)
    for note in life.plan.notes:
        log.info(note)
    for warning in life.plan.warnings:
        log.warn(warning)
    if os.getuid() == 0 and spec.user is None:
        log.critical(
            "Supervisor is running as root.  Privileges were not dropped because no user is "
            "specified in the config file.  If you intend to run as root, you can set user=root "
            "in the config file to avoid this message."
        )
    for server in life.plan.servers:
        if not server.path:
            log.warn(f"[{server.section}] is not served by this version, Unix sockets are")
    if not become_subreaper():
        log.debug("not a subreaper: orphans of children go to init")


async def _main(life: _Life) -> str:
    """Build the house and live in it."""
    loop = asyncio.get_running_loop()
    plan, spec, log, clock = life.plan, life.plan.daemon, life.log, life.clock
    use_pidfd = "SUPERD_NO_PIDFD" not in os.environ
    spawner = Spawner(os.environ, extra_path=life.neighbours, limit=life.limit, use_pidfd=use_pidfd)
    narrator = Narrator(log)
    reaper = Reaper(narrator.orphan)
    capture = Capture(loop, log)
    kit = Kit(
        loop=loop,
        spawner=spawner,
        reaper=reaper,
        outputs=OutputMaker(capture, spec.childlogdir, spec.identifier),
        bus=Bus(log),
        narrator=narrator,
        clock=clock,
        luck=random.random,
        marks=_marks(plan),
        census=Census(loop),
        use_pidfd=use_pidfd,
    )
    registry = Registry(kit)
    reader = Reader(life.path, life.command, spawner=spawner, reaper=reaper, clock=clock, plan=plan)
    service = Service(
        registry,
        reload=Reload(registry),
        reader=reader,
        spawner=spawner,
        clock=clock,
        plan=plan,
        narrator=narrator,
    )
    supervisor = Supervisor(
        registry, service, log=log, narrator=narrator, shutdown_timeout=spec.shutdown_timeout
    )
    mood = Mood(supervisor.shutdown, supervisor.reload, supervisor.gone)
    native = Native(service, mood, log, spec.identifier)
    specs = [server for server in plan.servers if server.path]
    servers = [Server(server, native, log) for server in specs]
    listener = SignalListener(loop)
    reaper.install(loop, listener)
    supervisor.hear(listener)
    signals.let_through()
    loop.set_exception_handler(lambda _, context: log.critical(_bug(context)))
    try:
        for server, bound in zip(servers, life.listeners, strict=True):
            await server.open(bound.socket)
        log.info(f"supervisord started with pid {os.getpid()}")
        await supervisor.start_all(plan.groups)
        gc.freeze()  # what lives as long as the daemon need not be looked at again
        ending = await supervisor.run()
        if ending == "RESTARTING":
            signals.hold_back(HEARD)  # until the next life listens
        return ending
    finally:
        for server in servers:
            await server.close()
        reaper.close()
        listener.close()
        for group in list(registry.groups):
            registry.remove(group)
        capture.close()
        spawner.close()


def _bug(context: dict[str, Any]) -> str:
    """Give what a callback or a forgotten task came to, on one line."""
    error = context.get("exception")
    story = "".join(traceback.format_exception(error)) if error is not None else ""
    return f"bug: {context.get('message')} {story}"


def _marks(plan: Plan) -> dict[str, str]:
    """Give the SUPERVISOR_* variables that every child gets."""
    marks = {"SUPERVISOR_ENABLED": "1"}
    unix = [server for server in plan.servers if server.path]
    if unix:
        marks["SUPERVISOR_SERVER_URL"] = f"unix://{unix[0].path}"
    elif plan.servers:
        host = plan.servers[0].host or "localhost"
        marks["SUPERVISOR_SERVER_URL"] = f"http://{host}:{plan.servers[0].port}"
    return marks
