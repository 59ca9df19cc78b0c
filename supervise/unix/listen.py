"""Hearing signals inside the loop, without ever missing one.

The loop's own way sends a byte for each signal through a socket and drops what does not
fit: with a thousand children dying at once that may be the SIGTERM among them. Here the
byte only wakes us; which signals came is remembered by the interpreter itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from types import FrameType

Heard = Callable[[], None]


class SignalListener:
    """Calls what was asked for, in the loop, once for one or more signals of a kind."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._wanted: dict[int, Heard] = {}
        self._came: dict[int, None] = {}  # in the order in which they came
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        loop.add_reader(self._read, self._woken)

    def on(self, number: int, heard: Heard) -> None:
        """Call ``heard`` after signal ``number``; replaces what was asked for before."""
        self._wanted[number] = heard
        signal.signal(number, self._note)
        signal.siginterrupt(number, False)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._came[number] = None

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._read, 4096)) == 4096:  # noqa: PLR2004 - as much as was asked
                pass
        came, self._came = self._came, {}
        for number in came:
            if (heard := self._wanted.get(number)) is not None:
                heard()

    def close(self) -> None:
        """Give every signal its default back; may be called twice."""
        if self._read < 0:
            return
        for number in self._wanted:
            signal.signal(number, signal.SIG_DFL)
        self._wanted.clear()
        signal.set_wakeup_fd(self._before)
        self._loop.remove_reader(self._read)
        os.close(self._read)
        os.close(self._write)
        self._read = self._write = -1
