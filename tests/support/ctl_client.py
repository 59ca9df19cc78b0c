"""A client that answers from a table, and a console whose two streams are strings."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence

from supervise.ctl.command import Client, Console
from supervise.wire import Frame

Answer = Sequence[Frame | BaseException]  # an exception is raised where it stands


class FakeClient(Client):
    """Answers each method from ``answers`` and keeps every call in ``calls``."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.serverurl = "unix:///run/s.sock"
        self.answers = dict(answers or {})
        self.calls: list[tuple[str, dict[str, object]]] = []
        self.accepted: tuple[str, str] | None = None

    def call(self, method: str, **params: object) -> Iterator[Frame]:
        self.calls.append((method, params))
        for answer in self.answers[method]:
            if isinstance(answer, BaseException):
                raise answer
            yield answer

    def turn_to(self, serverurl: str) -> None:
        self.serverurl = serverurl

    def log_in(self, username: str, password: str) -> None:
        self.accepted = (username, password)


class Strings(Console):
    """A console that keeps what is written to it."""

    def __init__(
        self,
        *,
        ask: Callable[[str], str] | None = None,
        colours: bool = False,
        configuration: str | None = None,
    ) -> None:
        self.stdout = io.StringIO()
        self.stderr = io.StringIO()
        super().__init__(
            self.stdout, self.stderr, ask=ask, colours=colours, configuration=configuration
        )


def status(name: str, state: str, description: str = "", **more: object) -> Frame:
    """Give what the server says of one process."""
    group, _, process = name.rpartition(":")
    return {
        "name": name,
        "group": group or process,
        "process": process,
        "state": state,
        "description": description,
        **more,
    }


def outcome(name: str, code: str, text: str = "", **more: object) -> Frame:
    """Give what became of one process; ``web:*`` is a whole group."""
    if name.endswith(":*"):
        group = name.removesuffix(":*")
        return {"name": name, "group": group, "process": None, "code": code, "text": text, **more}
    group, _, process = name.rpartition(":")
    names = {"name": name, "group": group or process, "process": process}
    return {**names, "code": code, "text": text, **more}
