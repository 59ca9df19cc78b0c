"""``superctl avail``: what the files define, running or not."""

from __future__ import annotations

from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console, UsageError
from supervise.wire import Frame


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Print one line for each configured process, by process name."""
    if words:
        raise UsageError("avail accepts no arguments")
    configured = sorted(client.call("avail"), key=lambda result: str(result["process"]))
    if configured:
        console.say("\n".join(map(_line, configured)))
    return 0


def _line(result: Frame) -> str:
    used = "in use" if result["in_use"] else "avail"
    start = "auto" if result["autostart"] else "manual"
    priorities = f"{result['group_priority']}:{result['process_priority']}"
    return f"{result['name']:<32} {used:<9} {start:<9} {priorities}"


COMMANDS = {"avail": Command(run, "avail\t\t\tDisplay all configured processes", down=1)}
