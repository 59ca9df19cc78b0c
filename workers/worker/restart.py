"""The wish of ``stop-workers``: a time in the store that the workers watch.

A worker that started before it stops; one that started after it was not meant. Both
times are wall clock, since they come from different processes.
"""

from __future__ import annotations

from collections.abc import Sequence

from workers.transports.base import RestartFlag


class RestartWish:
    """Watches ``flags`` for a process that started at ``started`` (wall clock)."""

    def __init__(self, flags: Sequence[RestartFlag], started: float) -> None:
        self._flags = flags
        self._started = started

    def is_there(self) -> bool:
        """Whether to stop.

        Raises:
            TransportError: a store that carries a flag cannot be read.
        """
        times = [flag.restart_requested_at() for flag in self._flags]
        return any(at is not None and at > self._started for at in times)
