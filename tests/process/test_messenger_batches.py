"""Batches of quick messages and one slow one among them: nobody waits behind it."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.support.messenger import HEADERS, INSERT, NOTHING, Project

GATE = '{"type":"app.Gate"}'


def _fill(project: Project, before: int, after: int) -> None:
    assert project.run("setup-transports").returncode == 0
    with project.foreign() as connection:
        connection.execute("BEGIN")
        connection.executemany(
            INSERT, [(f'{{"content":"<{number}>"}}', HEADERS) for number in range(before)]
        )
        connection.execute(INSERT, ("{}", GATE))
        connection.executemany(
            INSERT,
            [(f'{{"content":"<{before + number}>"}}', HEADERS) for number in range(after)],
        )
        connection.execute("COMMIT")


def test_what_was_taken_behind_a_slow_message_goes_to_another_worker(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.shut_gate()
    _fill(project, 300, 300)

    with project.start("consume", "async") as slow:
        slow.until("at the gate")
        with project.start("consume", "async", "-vvv") as other:
            other.until("sending <599>")
            other.until("Nothing to do, waiting.")
            assert project.numbers() == {**NOTHING, "in_hand": 1}
            project.open_gate()
            slow.until("through the gate")
            for worker in (slow, other):
                worker.send(signal.SIGTERM)
                assert worker.ended() == 0
        told = (slow.seen + other.seen).splitlines()
    handled = [line for line in told if line.startswith("sending")]
    assert sorted(handled) == sorted(f"sending <{number}>" for number in range(600))
    assert project.numbers() == NOTHING


def test_what_was_handled_before_a_slow_message_is_not_handled_again_after_a_kill(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path)
    project.shut_gate()
    _fill(project, 300, 0)

    with project.start("consume", "async", "--name=w1") as victim:
        victim.until("at the gate")
        with project.start("consume", "async", "-vvv") as witness:
            witness.until("Nothing to do, waiting.")
        _wait_for_acknowledgement(project)
        victim.send(signal.SIGKILL)
        victim.ended()
    (project.directory / "shut").unlink()
    heir = project.run("consume", "async", "--name=w1", "--limit=1")

    assert "sending" not in heir.stdout
    assert project.numbers() == NOTHING


def _wait_for_acknowledgement(project: Project) -> None:
    for _ in range(20):  # each look is a process: seconds, where a tenth is enough
        if project.numbers()["in_hand"] == 1:
            return
    raise AssertionError("the messages before the slow one are still in hand")
