"""What a command is, and all that it is given: words, a client, a console.

A command knows neither sockets nor the daemon; tests hand it a fake client and two
``StringIO``. Nothing here imports ``typing`` at run time: it would cost a tenth of
the time that ``superctl status`` takes.

    SuperviseError
    ├── UnreachableError     no server behind the URL; has the exit code of the case
    ├── LostConnectionError  it hung up in the middle, or talks garbage
    ├── CallError            it refused the whole request; ``code`` is the Fault's name
    └── UsageError           the words behind the action are wrong; nobody was asked
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence

from supervise.errors import SuperviseError
from supervise.wire import Frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

GENERIC, NOT_RUNNING = 1, 7  # exit codes as of LSB init scripts


class UnreachableError(SuperviseError):
    """Nobody answers at the URL. ``down`` is true if surely no server runs there."""

    def __init__(
        self,
        serverurl: str,
        reason: str,
        exit_code: int = GENERIC,
        *,
        down: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(f"{serverurl} {reason}")
        self.exit_code = exit_code
        self.down = down
        self.hint = hint


class LostConnectionError(SuperviseError):
    """The connection broke, or carried something else than frames."""


class CallError(SuperviseError):
    """The server refused a request as a whole."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text


class Client(ABC):
    """A server that can be asked; ``serverurl`` is how people call it."""

    serverurl: str

    @abstractmethod
    def call(self, method: str, **params: object) -> Iterator[Frame]:
        """Ask, and give each result as it arrives.

        Leaving the iterator early hangs up.

        Raises:
            UnreachableError: nobody answered; nothing was asked.
            CallError: the request was refused.
            LostConnectionError: the answer broke off; what was asked may have been done.
        """

    @abstractmethod
    def turn_to(self, serverurl: str) -> None:
        """Ask this server from now on."""

    @abstractmethod
    def log_in(self, username: str, password: str) -> None:
        """Use this name and password from now on."""


class Console:
    """Where a command writes, and whether somebody sits there.

    ``ask`` puts a question to the user and is None outside the interactive shell;
    ``configuration`` is the file in use, if there is one.
    """

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        *,
        ask: Callable[[str], str] | None = None,
        colours: bool = False,
        configuration: str | None = None,
    ) -> None:
        self.out = out
        self.err = err
        self.ask = ask
        self.colours = colours
        self.configuration = configuration

    def say(self, text: str) -> None:
        """Write ``text`` and a newline, at once: another program may be waiting for it."""
        self.out.write(text + "\n")
        self.out.flush()

    def hint(self, lines: Iterable[str]) -> None:
        """Write what helps people but no program, to standard error."""
        text = "".join(f"  {line}\n" for line in lines)
        if text:
            self.err.write(text)
            self.err.flush()

    def confirm(self, question: str) -> bool:
        """Ask for a yes; without somebody to ask it is yes."""
        return self.ask is None or self.ask(question).lower().startswith("y")


class Command:
    """One action: what it does, its help, and its words for the two common refusals.

    ``usage`` is supervisorctl's help, ``beyond`` what only ours can do; ``down`` is the
    exit code if no server runs (None: 4 or 7, as supervisorctl), ``shutting_down`` what
    is said if it is about to stop. ``leaves`` ends the shell.
    """

    def __init__(
        self,
        run: Callable[[Sequence[str], Client, Console], int],
        *usage: str,
        beyond: str = "",
        down: int | None = None,
        shutting_down: str = "ERROR: supervisor shutting down",
        leaves: bool = False,
    ) -> None:
        self.run = run
        self.usage = "\n".join(usage)
        self.beyond = beyond
        self.down = down
        self.shutting_down = shutting_down
        self.leaves = leaves


class UsageError(SuperviseError):
    """A command was given the wrong words; ``brief`` leaves its help text out."""

    def __init__(self, text: str, exit_code: int = GENERIC, *, brief: bool = False) -> None:
        super().__init__(f"Error: {text}")
        self.exit_code = exit_code
        self.brief = brief
