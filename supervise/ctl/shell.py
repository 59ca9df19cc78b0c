"""The interactive shell: ``supervisor> `` with history and completion.

The prompt, the first status and the way out are supervisorctl's; Ctrl-C goes back to
the prompt, also from an empty line.
"""

from __future__ import annotations

import os
from cmd import Cmd
from collections.abc import Callable, Iterator
from contextlib import suppress

from supervise.ctl.command import Client, Console
from supervise.ctl.commands import ACTIONS, find
from supervise.ctl.session import run_line, split
from supervise.errors import SuperviseError
from supervise.wire import Frame

_OF_GROUPS = frozenset(["add", "remove", "update"])
_OF_PROCESSES = frozenset(["clear", "pid", "restart", "signal", "start", "status", "stop", "tail"])


class Shell(Cmd):
    """Reads lines until ``exit``; errors are said, never raised."""

    def __init__(self, client: Client, console: Console, prompt: str) -> None:
        super().__init__(stdout=console.out)
        self.prompt = f"{prompt}> "
        self._client = client
        self._console = console
        self._known: dict[str, list[Frame]] = {}  # answers by method, forgotten with each line

    def run(self, history_file: str | None) -> None:
        """Show the status, then obey until the input ends."""
        save = _prepare_readline(history_file)
        self.cmdqueue.append("status")
        try:
            while not self._obey():
                pass
        finally:
            save()

    def _obey(self) -> bool:
        """Read lines; true when the user left, false when Ctrl-C threw a line away."""
        try:
            self.cmdloop()
        except KeyboardInterrupt:
            self._console.say("")
            return False
        return True

    def emptyline(self) -> bool:
        """Do nothing: Cmd would repeat the last command."""
        return False

    def onecmd(self, line: str) -> bool:
        """Run one line; true ends the shell."""
        self._known.clear()
        if not line.strip():
            return self.emptyline()
        run_line(line, self._client, self._console)
        command = find(split(line)[0])
        return command is not None and command.leaves

    def complete(self, text: str, state: int) -> str | None:  # type: ignore[override]  # typeshed says list
        """Give the ``state``-th completion of ``text``; readline asks until it is None."""
        import readline  # noqa: PLC0415 - it is what calls us

        found = self.completions(readline.get_line_buffer(), text)
        return found[state] if state < len(found) else None

    def completions(self, line: str, text: str) -> list[str]:
        """Give all that ``text``, the last word of ``line``, may become."""
        before = line[: len(line) - len(text)].split() if text else line.split()
        match before:
            case [] | ["help"]:
                words: Iterator[str] = iter(ACTIONS)
            case [action, *_] if action in _OF_GROUPS:
                words = iter(self._groups())
            case [action, *_] if action in _OF_PROCESSES:
                words = iter(self._names(qualified=":" in text))
            case _:
                words = iter(())
        return [f"{word} " for word in words if word.startswith(text)]

    def _groups(self) -> dict[str, None]:
        """Give the groups that run and those that could be added, in that order."""
        known = [*self._ask("status"), *self._ask("avail")]
        return dict.fromkeys(result["group"] for result in known)

    def _names(self, *, qualified: bool) -> dict[str, None]:
        """Give the processes as they are printed, and ``group:*`` where that is another name."""
        names: dict[str, None] = {}
        for result in self._ask("status"):
            group, process = result["group"], result["process"]
            if group == process and not qualified:
                names[process] = None
            else:
                names |= {f"{group}:{process}": None, f"{group}:*": None}
        return names

    def _ask(self, method: str) -> list[Frame]:
        """Ask once a line, however often Tab is pressed; what fails completes to nothing."""
        if method not in self._known:
            try:
                self._known[method] = list(self._client.call(method))
            except SuperviseError:
                self._known[method] = []
        return self._known[method]


def _prepare_readline(history_file: str | None) -> Callable[[], None]:
    """Make names such as ``web-1:*`` one word, load the history, give what saves it."""
    try:
        import readline  # noqa: PLC0415 - some Pythons come without it
    except ImportError:
        return lambda: None
    readline.set_completer_delims(" \t\n")
    if not history_file:
        return lambda: None
    path = os.path.expanduser(history_file)  # noqa: PTH111 - readline takes a string
    with suppress(OSError):
        readline.read_history_file(path)

    def save() -> None:
        with suppress(OSError):
            readline.write_history_file(path)

    return save
