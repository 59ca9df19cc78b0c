"""One file a command, or one thought; each is imported when its command is used."""

from __future__ import annotations

from importlib import import_module

from supervise.ctl.command import Command

_FILES = {
    "EOF": "leave",
    "add": "groups",
    "avail": "avail",
    "check": "check",
    "clear": "clear",
    "exit": "leave",
    "help": "help",
    "maintail": "tail",
    "open": "open",
    "pid": "pid",
    "quit": "leave",
    "reload": "power",
    "remove": "groups",
    "reread": "reread",
    "restart": "restart",
    "shutdown": "power",
    "signal": "signal",
    "start": "start",
    "status": "status",
    "stop": "stop",
    "tail": "tail",
    "update": "update",
    "version": "version",
}

ACTIONS = tuple(name for name in _FILES if name != "EOF")  # what a user may type, in order


def find(name: str) -> Command | None:
    """Give the command called ``name``, or None if there is none."""
    if name not in _FILES:
        return None
    commands: dict[str, Command] = import_module(f"{__name__}.{_FILES[name]}").COMMANDS
    return commands[name]
