"""superctl at a real terminal: type into it, wait for what it shows."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

PATIENCE = 15.0  # seconds; the machine may be busy with other things
# The child makes the terminal its own, so that Ctrl-C reaches it as it would in a shell.
TAKE_TERMINAL = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " from supervise.ctl.main import main; sys.exit(main())"
)


class Terminal:
    """A pseudo terminal with superctl in it."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self._fd, inner = pty.openpty()
        self._seen = ""
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-c", TAKE_TERMINAL, *argv],
                stdin=inner,
                stdout=inner,
                stderr=inner,
                env={**os.environ, "TERM": "dumb", **environ},
                start_new_session=True,
            )
        finally:
            os.close(inner)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.kill()
        self._child.wait()
        os.close(self._fd)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def until(self, text: str) -> str:
        """Read until ``text`` has been shown; give all that came before and with it."""
        deadline = time.monotonic() + PATIENCE
        while text not in self._seen:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._fd], [], [], max(0.0, left))
            assert ready, f"{text!r} was not shown; this was: {self._seen!r}"
            self._seen += self._read()
        shown, _, self._seen = self._seen.partition(text)
        return shown + text

    def _read(self) -> str:
        try:
            return os.read(self._fd, 65536).decode()
        except OSError as error:  # the other end has closed
            raise AssertionError(f"the program ended; this was shown: {self._seen!r}") from error

    def exit_code(self) -> int:
        """Wait for the end of superctl."""
        return self._child.wait(PATIENCE)
