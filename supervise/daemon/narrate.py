"""The story of the processes in the daemon's log, in upstream's words: others grep them.

Source of the words: Supervisor 4.3, ``process.py`` and ``supervisord.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from supervise.core.machine import LOOPING, Announce, ExitStatus, State
from supervise.core.spec import Plan, ProcessSpec
from supervise.unix.signals import name_of


class Log(Protocol):
    def critical(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...
    def info(self, text: str) -> None: ...


class Narrator:
    """Turns what happens to processes into log lines."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def reading(self, plan: Plan, before: Plan) -> None:
        """Say what a reading has found that the one before had not."""
        for line in plan.notes:
            if line not in before.notes:
                self._log.info(line)
        for line in plan.warnings:
            if line not in before.warnings:
                self._log.warn(line)

    def spawned(self, spec: ProcessSpec, pid: int) -> None:
        self._log.info(f"spawned: '{spec.name}' with pid {pid}")

    def spawn_failed(self, text: str) -> None:
        self._log.info(f"spawnerr: {text}")

    def killing(self, spec: ProcessSpec, pid: int) -> None:
        self._log.warn(f"killing '{spec.name}' ({pid}) with SIGKILL")

    def orphan(self, pid: int, status: ExitStatus) -> None:
        self._log.info(f"reaped unknown pid {pid} ({ended(status)})")

    def waiting(self, names: Iterable[str]) -> None:
        self._log.info(f"waiting for {', '.join(names)} to die")

    def looping(self, spec: ProcessSpec, lines: Sequence[str]) -> None:
        """Say, once a loop, what would otherwise look like RUNNING for ever."""
        last = " | ".join(lines) if lines else "nothing"
        self._log.warn(
            f"looping: {spec.name} died {LOOPING} times in a row within {spec.policy.restartgap:g} "
            f"seconds (restartgap) of its start; its last output: {last}"
        )

    def changed(self, spec: ProcessSpec, change: Announce) -> None:
        """Write the line of one change of state, if it has one."""
        name = spec.name
        match change.old, change.new:
            case State.STARTING, State.RUNNING:
                self._log.info(
                    f"success: {name} entered RUNNING state, process has stayed up for > than "
                    f"{spec.policy.startsecs:g} seconds (startsecs)"
                )
            case State.STARTING, State.BACKOFF if change.pid is not None and change.status:
                self._log.warn(f"exited: {name} ({ended(change.status)}; not expected)")
            case State.RUNNING, State.EXITED if change.status:
                say = self._log.info if change.expected else self._log.warn
                expected = "expected" if change.expected else "not expected"
                say(f"exited: {name} ({ended(change.status)}; {expected})")
            case State.BACKOFF, State.FATAL:
                self._log.info(
                    f"gave up: {name} entered FATAL state, too many start retries too quickly"
                )
            case _, State.STOPPING:
                self._log.info(f"waiting for {name} to stop")
            case State.STOPPING, State.STOPPED if change.status:
                self._log.info(f"stopped: {name} ({ended(change.status)})")
            case _, State.UNKNOWN:
                self._log.critical(f"unknown: {name} (pid {change.pid}): {change.reason}")
            case _:
                pass


def ended(status: ExitStatus) -> str:
    """Give ``exit status 3`` or ``terminated by SIGSEGV (core dumped)``."""
    if status.signal is None:
        return f"exit status {status.code}"
    return f"terminated by {name_of(status.signal)}{' (core dumped)' if status.core else ''}"
