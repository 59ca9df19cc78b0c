"""What a worker is called: the name under which a successor takes up what it held."""

from __future__ import annotations

from collections.abc import Mapping


def worker_name(said: str | None, environ: Mapping[str, str], host: str, pid: int) -> str:
    """Choose a name: what was said, else the place under a supervisor, else host and PID.

    The first two are the same for the next process in that place; a PID never is, so a
    worker started by hand has no successor.
    """
    if said:
        return said
    group = environ.get("SUPERVISOR_GROUP_NAME", "")
    process = environ.get("SUPERVISOR_PROCESS_NAME", "")
    if process:
        return f"{host}/{group}:{process}" if group else f"{host}/{process}"
    return f"{host}-{pid}"
