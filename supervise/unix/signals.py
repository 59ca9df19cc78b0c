"""Sending signals: the only caller of kill.

A child is reached through its pidfd where there is one. Its number alone is safe too
while it is unreaped, and it is reaped only by ``reap``, which then forgets it; so is its
process group, whose leader it is. Names are those of the ``signal`` module.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable


def send(pid: int, pidfd: int | None, number: int, *, group: bool = False) -> bool:
    """Send signal ``number`` to an unreaped child, or to its whole process group.

    Gives False if there was nobody left to hear it. Raises OSError for anything else, a
    missing right first of all.
    """
    try:
        if group:
            os.killpg(pid, number)
        elif pidfd is not None:
            signal.pidfd_send_signal(pidfd, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def number_of(name: str | int) -> int | None:
    """Give the number of ``TERM``, ``sigterm``, ``15`` or 15; None if there is no such signal."""
    text = str(name).strip().upper()
    full = text if text.startswith("SIG") else f"SIG{text}"
    found = signal.Signals.__members__.get(full)
    if found is not None:
        return int(found)
    numbers = {str(int(known)): int(known) for known in signal.valid_signals()}
    return numbers.get(text)


def name_of(number: int) -> str:
    """Give ``SIGTERM`` for 15, and ``signal 35`` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def hold_back(numbers: Iterable[int]) -> None:
    """Keep signals waiting, until ``let_through``: nobody listens for the moment."""
    signal.pthread_sigmask(signal.SIG_BLOCK, set(numbers))


def let_through() -> None:
    """Let what was held back arrive."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def reset_ignored() -> None:
    """Give back default dispositions that a parent such as nohup took away.

    Our children must not inherit them. SIGPIPE and SIGXFSZ, which Python ignores, stay as
    they are: the spawner restores those in the child.
    """
    for number in signal.valid_signals():
        if number in (signal.SIGPIPE, getattr(signal, "SIGXFSZ", None)):
            continue
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
