"""A machine as its administrator sees it: superd, its conf.d, and superctl in a terminal."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Self

from tests.support.children import DEADLINE
from tests.support.daemon import Daemon
from tests.support.programs import Done, environ, program, run

MAIN = """\
[supervisorctl]
serverurl=unix://{home}/s
[include]
files=conf.d/*.conf conf.d/*.ini conf.d/*.toml
"""


class Site(Daemon):
    """superd whose programs are files in ``conf.d``, asked through the real superctl."""

    def __init__(
        self,
        home: Path,
        *,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(home, MAIN.format(home=home), prefix=prefix, environ=env)
        self.conf_d = home / "conf.d"
        self.conf_d.mkdir()

    def drop(self, name: str, text: str) -> Path:
        """Put a file into conf.d."""
        path = self.conf_d / name
        path.write_text(text)
        return path

    def ctl(self, *words: str, **env: str) -> Done:
        """Type a command of superctl."""
        argv = ("superctl", "-c", str(self.conf), *words)
        return run(*argv, cwd=self.home, env=environ(**env))

    def pids(self) -> dict[str, int]:
        """Give the pid of each process that runs, by name, as ``status`` shows them."""
        rows = [line.split() for line in self.ctl("status").stdout.splitlines()]
        return {row[0]: int(row[3].rstrip(",")) for row in rows if row[1] == "RUNNING"}

    def follow(self, *words: str) -> Typed:
        """Type a command of superctl that goes on until Ctrl-C."""
        return Typed("superctl", "-c", str(self.conf), *words, cwd=self.home)


class Typed:
    """A command that still runs; what it prints is waited for, line by line."""

    def __init__(self, *argv: str, cwd: Path) -> None:
        self.popen = subprocess.Popen(
            [program(argv[0]), *argv[1:]], cwd=cwd, env=environ(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.seen = ""

    def until(self, text: str) -> str:
        """Read until ``text`` was printed; give everything so far."""
        assert self.popen.stdout is not None
        fd = self.popen.stdout.fileno()
        end = monotonic() + DEADLINE
        while text not in self.seen:
            ready, _, _ = select.select([fd], [], [], max(0.0, end - monotonic()))
            data = os.read(fd, 1 << 16) if ready else b""
            assert data, f"never printed {text!r}, but: {self.seen!r}"
            self.seen += data.decode()
        return self.seen

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.communicate(timeout=DEADLINE)
