"""The same no-op queue twice: with messenger and with huey, both on SQLite with defaults.

The handlers do nothing but append 16 bytes to a file: when the message was sent and when
its handler started, on the machine's one monotonic clock.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from tests.bench import proc
from tests.bench.lab import Lab
from tests.support.children import kill

STAMP = struct.Struct("qq")
PAYLOAD = 100  # bytes in each message

_HANDLER = """\
import os, struct, time
STAMPS = os.open("stamps", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def stamp(sent):
    os.write(STAMPS, struct.pack("qq", sent, time.monotonic_ns()))

"""
_MESSENGER_APP = (
    _HANDLER
    + """\
from dataclasses import dataclass
from workers import handles

@dataclass
class Noop:
    payload: str
    sent: int

@handles
def noop(message: Noop) -> None:
    stamp(message.sent)
"""
)
_MESSENGER_TOML = """\
import = ["noop_app"]
[transports]
async = "sqlite:///queue.db{options}"
[routing]
"noop_app.Noop" = "async"
"""
_MESSENGER_SEND = """\
import sys
from workers import load
app = load(sys.argv[1])
from noop_app import Noop
def send(payload, sent):
    app.bus.dispatch(Noop(payload, sent))
def done():
    app.close()
"""
_HUEY_APP = (
    _HANDLER
    + """\
import sys
from huey import SqliteHuey
OFF = {"fsync": False} if "fast.toml" in sys.argv else {}  # to fill a backlog; else its defaults
huey = SqliteHuey(filename="queue.db", **OFF)

@huey.task()
def noop(payload, sent):
    stamp(sent)
"""
)
_HUEY_SEND = """\
from noop_app import noop as send
def done():
    pass
"""
# Sends COUNT messages, or what PATIENCE seconds are enough for, and prints how many a second;
# with "gaps", one at a time with a random pause before each. The clock starts behind the first:
# it imports modules and makes tables, which raw sqlite3 beside it has done before, too.
_SENDER = """\
import random, select, sys, time
from send import done, send
count, patience, gaps = int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:] == ["gaps"]
payload = "x" * {payload}
chance = random.Random(7)
send(payload, time.monotonic_ns())
start = time.monotonic()
sent = 0
for sent in range(1, count):
    if gaps:
        select.select([], [], [], chance.uniform(0.01, 0.26))
    send(payload, time.monotonic_ns())
    if time.monotonic() - start > patience:
        break
print(max(sent, 1) / (time.monotonic() - start))
done()
"""


class Queue:
    """One queue of no-op messages in ``home``; ``kind`` is "messenger" or "huey"."""

    def __init__(self, lab: Lab, kind: str, home: Path) -> None:
        self.home = home / kind
        self.home.mkdir()
        self._lab = lab
        self._ours = kind == "messenger"
        scripts = lab.ours if self._ours else lab.huey
        assert scripts is not None
        self._scripts = scripts
        (self.home / "noop_app.py").write_text(_MESSENGER_APP if self._ours else _HUEY_APP)
        (self.home / "send.py").write_text(_MESSENGER_SEND if self._ours else _HUEY_SEND)
        (self.home / "sender.py").write_text(_SENDER.format(payload=PAYLOAD))
        for name, options in (
            ("messenger.toml", ""),
            ("normal.toml", "?synchronous=normal"),
            ("fast.toml", "?synchronous=off"),
        ):
            (self.home / name).write_text(_MESSENGER_TOML.format(options=options))

    def send(
        self,
        count: int,
        *,
        config: str = "messenger.toml",
        gaps: bool = False,
        patience: float = 100.0,
    ) -> float:
        """Send from a process of its own, one commit each; give the messages a second.

        A slow disk sends fewer: what ``patience`` seconds are enough for.

        ``config`` is "messenger.toml" (defaults), "normal.toml" or "fast.toml" (which only
        fills a backlog).
        """
        argv: list[str | Path] = [
            self._scripts / "python",
            "sender.py",
            config,
            str(count),
            str(patience),
        ]
        return float(self._lab.run([*argv, "gaps"] if gaps else argv, self.home))

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """Start one worker process with default options; ``options`` are messenger's."""
        if self._ours:
            argv: list[str | Path] = [self._scripts / "messenger", "consume", "async", *options]
        else:
            argv = [self._scripts / "huey_consumer", "noop_app.huey"]
        return self._lab.start(argv, self.home)

    def wait_handled(self, count: int, worker: subprocess.Popen[bytes], *, within: float) -> None:
        """Wait until ``count`` handlers have run."""
        path = self.home / "stamps"

        def all_handled() -> bool:
            handled = path.stat().st_size // STAMP.size if path.exists() else 0
            if handled < count and worker.poll() is not None:
                raise proc.TookTooLong(f"the worker ended after {handled} of {count} messages")
            return handled >= count

        proc.wait_until(all_handled, f"{count} messages handled", within=within, every=0.02)

    def stamps(self) -> list[tuple[int, int]]:
        """Give when each message was sent and when its handler started, in nanoseconds."""
        return list(STAMP.iter_unpack((self.home / "stamps").read_bytes()))


def end(worker: subprocess.Popen[bytes]) -> None:
    """End a worker, whatever it is doing."""
    if worker.poll() is None:
        kill(worker.pid)
    worker.wait()
