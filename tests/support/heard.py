"""A daemon's log that tests can wait on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from supervise.clock import SystemClock
from supervise.daemon.log import Level, Log

DEADLINE = 10.0


class Heard(Log):
    """Keeps what was said."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.lines: list[tuple[Level, str]] = []
        self._said = asyncio.Event()

    def emit(self, level: Level, text: str) -> None:
        self.lines.append((level, text))
        self._said.set()

    async def until(self, words: str) -> str:
        """Wait for a line with ``words`` in it."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for _, text in self.lines:
                    if words in text:
                        return text
                self._said.clear()
                await self._said.wait()


class Grown:
    """A follower: lets a test wait until the log looks as it should."""

    def __init__(self) -> None:
        self._grown = asyncio.Event()

    def __call__(self) -> None:
        self._grown.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds; it is looked at whenever the log changed."""
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self._grown.clear()
                await self._grown.wait()
