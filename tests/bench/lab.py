"""Where a row is measured: whose programs, which directory, what size; nothing is left of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.proc import TookTooLong
from tests.support.children import kill, marked

MARK = "MESSENGER_SUPERVISE_BENCH"  # in the environment of all that we start


@dataclass(frozen=True, slots=True)
class Lab:
    """``ours`` and ``theirs`` are directories of console scripts; ``theirs`` may be missing.

    ``huey`` is the directory with ``python`` and ``huey_consumer``.
    """

    ours: Path
    theirs: Path | None
    huey: Path | None
    quick: bool

    def size(self, full: int, quick: int) -> int:
        """Choose between the size of the real run and a small one."""
        return quick if self.quick else full

    @property
    def rounds(self) -> int:
        """How often a pair is measured; medians count."""
        return self.size(3, 1)

    @property
    def sides(self) -> dict[str, Path]:
        """Whose supervisor is measured: interleaved, in this order."""
        return {"ours": self.ours} | ({"theirs": self.theirs} if self.theirs else {})

    @contextmanager
    def home(self) -> Iterator[Path]:
        """Give a new directory; at the end nothing of it is left, nor any process."""
        home = Path(tempfile.mkdtemp(prefix="bench-"))
        home.chmod(0o755)
        try:
            yield home
        finally:
            end_all()
            shutil.rmtree(home, ignore_errors=True)

    def start(self, argv: Sequence[str | Path], home: Path) -> subprocess.Popen[bytes]:
        """Start a program in ``home``; what it prints is dropped, its complaints are kept."""
        with (home / "stderr").open("ab") as complaints:
            return subprocess.Popen(
                argv, cwd=home, env=environ(), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=complaints,
            )  # fmt: skip

    def run(self, argv: Sequence[str | Path], home: Path, within: float = 120) -> str:
        """Run a program to its end; give what it printed.

        Raises:
            TookTooLong: it did not end ``within`` so many seconds, or ended in failure.
        """
        try:
            done = subprocess.run(
                argv, cwd=home, env=environ(), stdin=subprocess.DEVNULL, check=True,
                capture_output=True, timeout=within,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            said = (error.stdout + error.stderr).decode(errors="replace").strip()
            raise TookTooLong(f"{_shown(argv)} exited with {error.returncode}: {said}") from error
        except subprocess.TimeoutExpired as error:
            raise TookTooLong(f"{_shown(argv)} did not end in {within:g} s") from error
        return done.stdout.decode()


def environ() -> Mapping[str, str]:
    """Give the environment of everything that is started: ours, marked, no supervisor in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUPERVISOR_")}
    return {**kept, **_mark()}


def end_all() -> None:
    """Kill every process that bears our mark, until there is none."""
    ((mark, value),) = _mark().items()
    while left := marked(f"{mark}={value}"):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                kill(pid)


@contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """Break off what takes longer than ``seconds``.

    Raises:
        TookTooLong: in the middle of whatever was waited for.
    """

    def ring(*_: Any) -> None:
        raise TookTooLong(f"given up after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _mark() -> dict[str, str]:
    return {MARK: f"{os.getpid()}."}  # the dot: 123 is not 1234


def _shown(argv: Sequence[str | Path]) -> str:
    return " ".join(map(str, argv))
