"""Real ``messenger`` processes in a directory of their own, read line by line under a deadline.

The handlers of the little application announce what they do on standard output. One
that handles ``Gate`` stays in its message for as long as the file ``shut`` exists.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

PATIENCE = 15.0  # seconds; only a broken test waits that long

APP = """
from dataclasses import dataclass
from pathlib import Path
import os, sys
from workers import handles

HERE = Path(__file__).parent

@dataclass
class SmsNotification:
    content: str

@dataclass
class Gate:
    number: int = 0

@dataclass
class Boom:
    how: str = "raise"

@handles
def send_sms(message: SmsNotification) -> None:
    print("sending", message.content)

@handles
def pass_gate(message: Gate) -> None:
    print("at the gate", message.number)
    while (HERE / "shut").exists():
        with open(HERE / "gate", "rb", buffering=0) as gate:  # a FIFO
            gate.read(1)
    print("through the gate", message.number)

@handles
def explode(message: Boom) -> None:
    print("exploding")
    if message.how == "exit":
        sys.exit(3)
    raise ValueError("no such number")
"""

TOML = """
import = ["app"]
failure_transport = "failed"

[transports]
async = { dsn = "sqlite:///var/messages.db", retry = { max_retries = 1, delay = 0.01 } }
failed = "sqlite:///var/messages.db?queue_name=failed"
remote = "%(ENV_MESSENGER_TRANSPORT_DSN)s"

[routing]
"app.*" = "async"
"""


class Running:
    """One process; standard error is in the same stream as standard output."""

    def __init__(self, project: Project, argv: tuple[str, ...], env: Mapping[str, str]) -> None:
        self._popen = subprocess.Popen(
            [*project.messenger, *argv],
            cwd=project.directory,
            env={**project.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.pid = self._popen.pid
        self.seen = ""
        self._read = 0

    def until(self, text: str) -> str:
        """Read on until a line has ``text``; give everything that was said before it, too."""
        assert self._popen.stdout is not None
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen[self._read :]:
            ready, _, _ = select.select([self._popen.stdout], [], [], deadline - time.monotonic())
            more = os.read(self._popen.stdout.fileno(), 65536).decode() if ready else ""
            assert more, f"never said {text!r}, but:\n{self.seen}"
            self.seen += more
        self._read = self.seen.index(text, self._read) + len(text)
        return self.seen

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def insist(self, number: signal.Signals, text: str) -> None:
        """Send it until a line has ``text``: two of one kind may arrive as one."""
        assert self._popen.stdout is not None
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < deadline, f"never said {text!r}, but:\n{self.seen}"
            self._popen.send_signal(number)
            ready, _, _ = select.select([self._popen.stdout], [], [], 0.5)
            self.seen += os.read(self._popen.stdout.fileno(), 65536).decode() if ready else ""

    def ended(self) -> int:
        """Wait for its end; give the exit status."""
        rest, _ = self._popen.communicate(timeout=PATIENCE)
        self.seen += rest.decode()
        return self._popen.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        if self._popen.stdout is not None:
            self._popen.stdout.close()


class Project:
    """An application in ``directory``, as a user would have it."""

    def __init__(self, directory: Path, toml: str = TOML, app: str = APP) -> None:
        self.directory = directory
        self.messenger = [str(Path(sys.executable).with_name("messenger"))]
        kept = {name: value for name, value in os.environ.items() if "SUPERVISOR" not in name}
        self.environ = {**kept, "PYTHONUNBUFFERED": ""}
        self.environ.pop("MESSENGER_CONFIG", None)
        (directory / "messenger.toml").write_text(toml)
        (directory / "app.py").write_text(app)
        os.mkfifo(directory / "gate")
        self._gate = os.open(directory / "gate", os.O_RDWR)  # so that no opener ever waits
        weakref.finalize(self, os.close, self._gate)

    @property
    def database(self) -> Path:
        return self.directory / "var" / "messages.db"

    def start(self, *argv: str, **env: str) -> Running:
        return Running(self, argv, env)

    def run(self, *argv: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [*self.messenger, *argv],
            check=False,
            cwd=self.directory,
            env={**self.environ, **env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def dispatch(self, kind: str, **properties: object) -> None:
        done = self.run("dispatch", f"app.{kind}", json.dumps(properties))
        assert done.returncode == 0, done.stderr

    def numbers(self, transport: str = "async") -> dict[str, int]:
        """Give what ``stats`` says of one transport."""
        done = self.run("stats", transport, "--format=json")
        assert done.returncode == 0, done.stderr
        found: dict[str, int] = json.loads(done.stdout)["transports"][transport]
        return {name: found[name] for name in ("ready", "delayed", "in_hand", "abandoned")}

    def shut_gate(self) -> None:
        (self.directory / "shut").touch()

    def open_gate(self) -> None:
        """Let whoever stands at the gate go on."""
        (self.directory / "shut").unlink()
        os.write(self._gate, b"go on")

    @contextmanager
    def foreign(self) -> Iterator[sqlite3.Connection]:
        """Open the database as any other program would."""
        connection = sqlite3.connect(self.database, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()


INSERT = """INSERT INTO messenger_messages (body, headers, queue_name, created_at, available_at)
    VALUES (?, ?, 'default', datetime('now'), datetime('now'))"""
HEADERS = '{"type":"app.SmsNotification"}'

NOTHING = {"ready": 0, "delayed": 0, "in_hand": 0, "abandoned": 0}
