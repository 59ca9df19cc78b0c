"""Every situation a process can be in, for the machine's tests, and effects in words.

The deadline of each is ``DUE``, and ``EARLY`` comes before it.
"""

from __future__ import annotations

from supervise.core.machine import (
    TOO_QUICK,
    Announce,
    Effect,
    ExitStatus,
    Kill,
    Looping,
    Process,
    Spawn,
    State,
)
from supervise.core.spec import AutoRestart, Policy

DUE, EARLY = 10.0, 9.875
POLICY = Policy()  # startsecs 1, startretries 3, unexpected, exit codes 0, TERM, 10 s, gap 1 s
OTHER = Policy(startsecs=5.0, autorestart=AutoRestart.ALWAYS, restartgap=7.0)
GOOD, BAD, SHOT = ExitStatus(0), ExitStatus(1), ExitStatus(-1, signal=9, core=True)
PAST = ExitStatus(3)  # how an earlier child ended

SITUATIONS = {
    "stopped": Process(POLICY, State.STOPPED, failures=2, quick=2, status=PAST, reason="old"),
    "forking": Process(POLICY, State.STARTING, began=9.5, failures=1),  # Spawn is under way
    "starting": Process(POLICY, State.STARTING, pid=7, deadline=DUE, began=9.0, failures=1),
    "running": Process(POLICY, State.RUNNING, pid=7, began=2.0, quick=2),
    "young": Process(POLICY, State.RUNNING, pid=7, began=9.5),
    "backoff": Process(POLICY, State.BACKOFF, deadline=DUE, began=8.0, failures=2, expected=False),
    "stopping": Process(POLICY, State.STOPPING, pid=7, deadline=DUE, began=2.0),
    "exited": Process(POLICY, State.EXITED, began=2.0, status=GOOD, quick=2),
    "pending": Process(POLICY, State.EXITED, deadline=DUE, began=9.0, status=BAD, quick=2),
    "fatal": Process(POLICY, State.FATAL, began=2.0, failures=4, quick=2, reason=TOO_QUICK),
    "unknown": Process(POLICY, State.UNKNOWN, pid=7, began=2.0, reason="not permitted"),
}


def in_words(effects: tuple[Effect, ...]) -> str:
    words = []
    for effect in effects:
        match effect:
            case Announce():
                words.append(effect.new.name)
            case Kill():
                words.append(f"kill-{effect.signal}{'-group' * effect.group}")
            case Spawn() | Looping():
                words.append(type(effect).__name__.lower())
    return " ".join(words)
