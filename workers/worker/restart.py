"""The wish of ``stop-workers``: a time in the store that the workers watch.

A worker that started before it stops; one that started after it was not meant. Wall
clocks differ between processes and are set, so they decide only about what was there
at the first look: whatever changes after that is news, and a wish that comes from the
future would stop every worker that ever starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workers.errors import TransportError
from workers.transports.base import RestartFlag


class RestartWish:
    """Watches ``flags`` for a process that started at ``started`` (wall clock, as is ``now``)."""

    def __init__(
        self, flags: Sequence[RestartFlag], started: float, now: Callable[[], float]
    ) -> None:
        self._flags = flags
        self._started = started
        self._now = now
        self._found: dict[int, float | None] = {}

    def is_there(self) -> bool:
        """Whether to stop. A store that cannot be read now says nothing, and hides no other."""
        return any(self._says(number, flag) for number, flag in enumerate(self._flags))

    def _says(self, number: int, flag: RestartFlag) -> bool:
        try:
            at = flag.restart_requested_at()
        except TransportError:
            return False  # the receivers of that store say the same, and are heard
        if number not in self._found:
            self._found[number] = at
            return at is not None and self._started < at <= self._now()
        return at is not None and at != self._found[number]
