"""SIGTERM, SIGINT and SIGQUIT for a worker: the first asks, the second does not.

The first one lets the message in hand finish and ends a wait at once. The second
raises ``Abandoned`` where the handler stands, so that its message goes back; outside a
handler it is only noted, so that no transaction is torn.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Final

from workers.transports.pause import Pause

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Abandoned(BaseException):
    """Not an ``Exception``: handlers that catch everything must not catch this."""


class StopSignals:
    """``received`` is the latest signal, or None; ``insisted`` is True from the second on.

    A signal ends the wait of ``pause``. ``forked`` is True in a process that a handler
    forked: it is none of ours, whatever it inherited.
    """

    def __init__(self, pause: Pause) -> None:
        self.received: signal.Signals | None = None
        self.insisted = False
        self.handling = False
        self.forked = False
        self.pause = pause

    def install(self) -> None:
        """Take the signals over for the rest of this process. Main thread only."""
        signal.set_wakeup_fd(self.pause.signal_fd, warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        os.register_at_fork(after_in_child=self._let_go)

    def _let_go(self) -> None:
        """Give a forked child its signals back: ``terminate`` of a pool waits for their effect."""
        self.forked = True
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, signal.SIG_DFL)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Note it; nothing else is safe here, logging included."""
        del frame
        self.insisted = self.received is not None
        self.received = signal.Signals(number)
        self.pause.interrupt()
        if self.insisted and self.handling:
            raise Abandoned
