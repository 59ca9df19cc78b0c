from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from workers.transports.owner import Fate, Owner

ME = Owner.current("me")


@pytest.mark.parametrize(
    ("other", "fate"),
    [
        (ME, Fate.ALIVE),
        (replace(ME, started=ME.started + "1"), Fate.DEAD),
        (replace(ME, pid=2**22 + 1), Fate.DEAD),
        (replace(ME, boot="another"), Fate.DEAD),
        (replace(ME, host="another"), Fate.UNKNOWN),
        (replace(ME, host="another", boot="another"), Fate.UNKNOWN),
        (replace(ME, namespace="pid:[1]"), Fate.UNKNOWN),
        (replace(ME, started=""), Fate.UNKNOWN),
        (replace(ME, started="", pid=2**22 + 1), Fate.DEAD),
        (replace(ME, name="other"), Fate.ALIVE),
    ],
)
def test_only_what_is_proven_is_said(other: Owner, fate: Fate) -> None:
    assert ME.fate_of(other) is fate


def test_a_process_without_a_name_is_called_host_and_pid() -> None:
    assert Owner.current().name == f"{ME.host}-{os.getpid()}"


def _child(body: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            body()
        finally:
            os._exit(0)
    return pid


def test_a_process_that_ended_is_dead_before_and_after_it_is_reaped() -> None:
    hold, let_go = os.pipe()

    def wait() -> None:
        os.close(let_go)
        os.read(hold, 1)

    pid = _child(wait)
    os.close(hold)
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    child = replace(ME, pid=pid, started=stat[19])
    assert ME.fate_of(child) is Fate.ALIVE

    os.close(let_go)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    assert ME.fate_of(child) is Fate.DEAD
    os.waitpid(pid, 0)
    assert ME.fate_of(child) is Fate.DEAD
