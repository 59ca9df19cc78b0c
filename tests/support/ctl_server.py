"""A server on a real Unix socket that says what a script tells it, right or wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from supervise import wire
from supervise.wire import Frame

PATIENCE = 10.0  # seconds; only a broken test waits that long
Step = bytes | threading.Event  # sent, or waited for
Script = Sequence[Step]


def answer(*results: Frame) -> bytes:
    """Give the frames of a complete answer to the first request of a connection."""
    frames = [*(wire.result(1, result) for result in results), wire.end(1)]
    return b"".join(map(wire.encode, frames))


class ScriptedServer:
    """Plays one script for each connection, in order, and hangs up at its end.

    ``requests`` are the frames that came in, ``url`` is what to connect to.
    """

    def __init__(self, path: Path, *scripts: Script) -> None:
        self.url = f"unix://{path}"
        self.requests: list[Frame] = []
        self._scripts = scripts
        self._over = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(PATIENCE)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        with socket.socket(socket.AF_UNIX) as nobody, suppress(OSError):
            nobody.connect(self.url.removeprefix("unix://"))  # wakes a thread that waits
        self._thread.join(PATIENCE)
        self._listener.close()
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                if self._over:
                    return
                connection.settimeout(PATIENCE)
                self._play(connection, script)

    def _play(self, connection: socket.socket, script: Script) -> None:
        with connection.makefile("rb") as stream:
            line = stream.readline()
        if line:
            self.requests.append(wire.decode(line))
        try:
            for step in script:
                if isinstance(step, threading.Event):
                    step.wait(PATIENCE)
                else:
                    connection.sendall(step)
        except OSError:
            return  # the client has left, which is its right
