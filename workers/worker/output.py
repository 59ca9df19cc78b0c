"""Whether anybody still reads what the handlers print.

When the reader of standard output is gone (a supervisor that was killed, a pager that
was left), every ``print`` of every handler fails. That says nothing about the messages:
trying them again and setting them aside would empty the queue into the failure transport.
"""

from __future__ import annotations

import select
from typing import Final

from workers.errors import HandlerFailedError

_STANDARD: Final = (1, 2)  # output, error


def is_lost(error: BaseException) -> bool:
    """Tell whether ``error`` came from a standard stream that nobody reads any more."""
    causes = error.failures.values() if isinstance(error, HandlerFailedError) else [error]
    broken = any(isinstance(cause, BrokenPipeError) for cause in causes)
    return broken and any(_hung_up(fd) for fd in _STANDARD)


def _hung_up(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, 0)
    return any(said & (select.POLLERR | select.POLLHUP) for _, said in poll.poll(0))
