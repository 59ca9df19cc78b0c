"""Every error the supervisor raises on purpose, with the code a client sees.

    SuperviseError
    ├── ConfigError        a file or a command line that cannot be used
    ├── SpawnError         a program that could not be started
    ├── ServerError        a socket or a pid file that cannot be ours
    │   └── ForbiddenError   a pid file that we have no right to write
    └── Refusal            a command that was understood and not carried out

Source of the codes: Supervisor 4.3, ``supervisor/xmlrpc.py`` (class Faults).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class Fault(IntEnum):
    """Fault numbers of XML-RPC; a native result carries the name."""

    UNKNOWN_METHOD = 1
    INCORRECT_PARAMETERS = 2
    BAD_ARGUMENTS = 3
    SIGNATURE_UNSUPPORTED = 4
    SHUTDOWN_STATE = 6
    BAD_NAME = 10
    BAD_SIGNAL = 11
    NO_FILE = 20
    NOT_EXECUTABLE = 21
    FAILED = 30
    ABNORMAL_TERMINATION = 40
    SPAWN_ERROR = 50
    ALREADY_STARTED = 60
    NOT_RUNNING = 70
    SUCCESS = 80
    ALREADY_ADDED = 90
    STILL_RUNNING = 91
    CANT_REREAD = 92


class SuperviseError(Exception):
    """What this package raises on purpose; everything else is a bug."""


class ConfigError(SuperviseError):
    """One or more problems of a configuration, each a line in the user's words."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class SpawnError(SuperviseError):
    """A program could not be started; ``fault`` says which way, ``text`` is for people."""

    def __init__(self, text: str, fault: Fault = Fault.SPAWN_ERROR) -> None:
        super().__init__(text)
        self.text = text
        self.fault = fault


class ServerError(SuperviseError):
    """A socket, a pid file or a log of the daemon's own that cannot be used."""


class ForbiddenError(ServerError):
    """A pid file that we have no right to write: one can live without."""


class Refusal(SuperviseError):
    """A command that was understood and refused; clients see the fault and the text."""

    def __init__(self, fault: Fault, text: str = "") -> None:
        super().__init__(f"{fault.name}: {text}" if text else fault.name)
        self.fault = fault
        self.text = text
