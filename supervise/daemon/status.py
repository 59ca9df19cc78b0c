"""What one process looks like from outside: the fields of ``status`` and of XML-RPC.

Source of the words: Supervisor 4.3, ``rpcinterface.py`` (getProcessInfo, _interpretProcessInfo).
"""

from __future__ import annotations

import time
from typing import Any

from supervise.core.machine import State
from supervise.daemon.process import Runner

DAY = 86400


def info(runner: Runner, now: float) -> dict[str, Any]:
    """Give every field of a process's status at wall time ``now``."""
    process = runner.process
    status = process.status
    outputs = runner.outputs
    up = process.state in (State.RUNNING, State.STARTING, State.STOPPING)
    return {
        "name": str(runner.name),
        "group": runner.name.group,
        "process": runner.name.process,
        "state": process.state.name,
        "description": describe(runner, now),
        "pid": process.pid or 0,
        "start": int(runner.started_at),
        "stop": int(runner.stopped_at),
        "now": int(now),
        "exitstatus": 0 if status is None else status.code,
        "spawnerr": process.reason,
        "logfile": (outputs and outputs.stdout_path) or "",
        "stdout_logfile": (outputs and outputs.stdout_path) or "",
        "stderr_logfile": (outputs and outputs.stderr_path) or "",
        "uptime": max(0.0, round(now - runner.started_at, 3)) if up else 0.0,
        "restarts": process.restarts,
        "last_exit": None
        if status is None
        else {"code": status.code, "signal": status.signal, "expected": process.expected},
        "adopted": False,
        "reason": process.reason,
    }


def describe(runner: Runner, now: float) -> str:
    """Give the last column of ``status``."""
    process = runner.process
    match process.state:
        case State.RUNNING:
            return f"pid {process.pid}, uptime {uptime(now - runner.started_at)}"
        case State.FATAL | State.BACKOFF:
            return process.reason or f'unknown error (try "tail {runner.name}")'
        case State.STOPPED | State.EXITED if runner.started_at:
            return time.strftime("%b %d %I:%M %p", time.localtime(runner.stopped_at))
        case State.STOPPED | State.EXITED:
            return "Not started"
        case _:
            return ""


def uptime(seconds: float) -> str:
    """Give ``0:00:04``, ``1 day, 2:03:04`` or ``12 days, 0:00:00``."""
    days, rest = divmod(max(0, int(seconds)), DAY)
    clock = f"{rest // 3600}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} day{'' if days == 1 else 's'}, {clock}" if days else clock
