"""Both streams of one process, and the making of them from a specification."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from supervise.core.spec import AUTO, OutputSpec, ProcessSpec
from supervise.daemon.capture import Capture
from supervise.daemon.output import Output
from supervise.unix import autolog
from supervise.unix.logfile import tail

LAST_BYTES = 4096  # of a log, to find its last lines in
LONGEST_LINE = 300  # characters of a last line that are shown


@dataclass(frozen=True, slots=True)
class OutputMaker:
    """Makes the outputs of processes; ``directory`` and ``identifier`` name AUTO logs."""

    capture: Capture
    directory: str
    identifier: str

    def make(self, spec: ProcessSpec) -> Outputs:
        """Give the outputs of ``spec``."""
        return Outputs(spec, self)

    def path(self, spec: ProcessSpec, channel: str, output: OutputSpec) -> str | None:
        """Give the path of a log, made up if it is AUTO."""
        if output.logfile != AUTO:
            return output.logfile
        return autolog.name(self.directory, spec.name, channel, self.identifier)


class Outputs:
    """stdout and stderr of one process; stderr is None when it is redirected."""

    __slots__ = ("_maker", "_spec", "stderr", "stdout")

    def __init__(self, spec: ProcessSpec, maker: OutputMaker) -> None:
        self._spec = spec
        self._maker = maker
        self.stdout = self._output(spec, "stdout", spec.stdout)
        self.stderr = None if spec.redirect_stderr else self._output(spec, "stderr", spec.stderr)

    def _output(self, spec: ProcessSpec, channel: str, output: OutputSpec) -> Output:
        path = self._maker.path(spec, channel, output)
        capture = self._maker.capture
        return Output(spec.name, channel, output, path, strip_ansi=spec.strip_ansi, capture=capture)

    @property
    def stdout_path(self) -> str | None:
        return self.stdout.path

    @property
    def stderr_path(self) -> str | None:
        return None if self.stderr is None else self.stderr.path

    def channel(self, name: str) -> Output | None:
        """Give the output of ``stdout`` or ``stderr``, None if there is none of its own."""
        return self.stdout if name == "stdout" else self.stderr

    def attach(self, stdout: int | None, stderr: int | None) -> None:
        """Take over our ends of a new child's pipes."""
        if stdout is not None:
            self.stdout.attach(stdout)
        if stderr is not None:
            assert self.stderr is not None
            self.stderr.attach(stderr)

    def drain(self) -> None:
        """Move what a dead child's pipes still hold."""
        for output in self._both():
            output.drain()

    def retune(self, spec: ProcessSpec) -> None:
        """Obey a changed specification; a name made up once is kept."""
        for output, old, new in (
            (self.stdout, self._spec.stdout, spec.stdout),
            (self.stderr, self._spec.stderr, spec.stderr),
        ):
            if output is None or (old, self._spec.strip_ansi) == (new, spec.strip_ansi):
                continue
            same = old.logfile == new.logfile
            path = output.path if same else self._maker.path(spec, output.channel, new)
            output.retune(new, path, strip_ansi=spec.strip_ansi)
        self._spec = spec

    def reopen(self) -> None:
        """Go on in whatever has the logs' names now."""
        for output in self._both():
            output.reopen()

    def clear(self) -> None:
        """Empty both logs. Raises OSError."""
        for output in self._both():
            output.clear()

    def close(self) -> None:
        """Let go of pipes and logs; may be called twice."""
        for output in self._both():
            output.close()

    def _both(self) -> tuple[Output, ...]:
        return (self.stdout,) if self.stderr is None else (self.stdout, self.stderr)

    def last_lines(self, count: int) -> tuple[str, list[str]]:
        """Give a channel and its last lines: of stderr if there are any, else of stdout."""
        for output in reversed(self._both()):
            lines: list[str] = []
            if output.path is not None:
                with contextlib.suppress(OSError):
                    lines = _lines(tail(output.path, LAST_BYTES))
            if lines:
                return output.channel, lines[-count:]
        return "stdout", []


def _lines(data: bytes) -> list[str]:
    """Give the lines of ``data`` that hold something, fit for a terminal."""
    text = data.decode("utf-8", "replace")
    return [
        "".join(char if char.isprintable() else " " for char in line).strip()[:LONGEST_LINE]
        for line in text.splitlines()
        if line.strip()
    ]
