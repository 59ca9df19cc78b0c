"""Who holds a message: a process that can be told from every other, dead or alive.

A name alone is not proof of anything: it comes back with the next process of the
same program. What is proven here is that *this* holder is gone: same host, same
boot, same PID namespace, and no live process of that PID with that start time. Where
one of them cannot be known, nobody is declared dead here: then its lock may tell
(``owner_locks``), or the lease has to run out.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_STATE, _START = 0, 19  # /proc/PID/stat behind the closing bracket of the name


class Fate(Enum):
    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Owner:
    """One process. ``started`` is in kernel ticks since boot, empty where unknown."""

    name: str
    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    @classmethod
    def current(cls, name: str = "") -> Owner:
        """This process; without a name it is called host-PID."""
        host, pid = socket.gethostname(), os.getpid()
        return cls(
            name=name or f"{host}-{pid}",
            host=host,
            boot=_read("/proc/sys/kernel/random/boot_id"),
            namespace=_pid_namespace(),
            pid=pid,
            started=_start_time(pid) or "",
        )

    def fate_of(self, other: Owner) -> Fate:
        """What this process can prove about ``other``.

        A host that has booted since has ended all it ran. Another host, or another
        container of this one, cannot be looked into.
        """
        if other.host != self.host:
            return Fate.UNKNOWN
        if self.boot and other.boot and other.boot != self.boot:
            return Fate.DEAD
        if other.namespace != self.namespace:
            return Fate.UNKNOWN
        if not other.started:
            return Fate.UNKNOWN if _exists(other.pid) else Fate.DEAD
        return Fate.ALIVE if _start_time(other.pid) == other.started else Fate.DEAD


def _start_time(pid: int) -> str | None:
    """Start time of a process that can still run code; None for a zombie or nobody."""
    stat = _read(f"/proc/{pid}/stat")
    fields = stat.rpartition(")")[2].split()
    if len(fields) <= _START or fields[_STATE] in "ZX":
        return None
    return fields[_START]


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - the target is a name, not a path
    except OSError:
        return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # noqa: TID251 - asks, sends nothing; only where there is no /proc
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
