"""Workers as processes: killed, stopped, two at once, and woken by strangers."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.messenger import HEADERS, INSERT, NOTHING, Project

IDLE = "Nothing to do, waiting."


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_successor_of_the_same_name_takes_up_at_once_what_a_killed_worker_held(
    project: Project,
) -> None:
    project.shut_gate()
    project.dispatch("Gate", number=7)
    with project.start("consume", "async", "--name=w1") as victim:
        victim.until("at the gate 7")
        victim.send(signal.SIGKILL)
        assert victim.ended() == -signal.SIGKILL

    (project.directory / "shut").unlink()
    assert project.numbers() == {**NOTHING, "abandoned": 1}
    other = project.run("consume", "async", "--name=w2", "--time-limit=0.1")
    assert "at the gate" not in other.stdout
    heir = project.run("consume", "async", "--name=w1", "--limit=1")

    assert "through the gate 7" in heir.stdout
    assert "its worker w1" in heir.stderr
    assert project.numbers() == NOTHING


def test_a_container_that_starts_again_takes_up_what_it_held(project: Project) -> None:
    container = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*container, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("only who may make PID namespaces has containers")
    project.shut_gate()
    project.dispatch("Gate", number=7)
    project.messenger = [*container, *project.messenger]
    with project.start("consume", "async", "--name=w1") as victim:
        victim.until("at the gate 7")
        early = project.run("consume", "async", "--name=w1", "--time-limit=0.1")
        victim.send(signal.SIGKILL)
        victim.ended()
    (project.directory / "shut").unlink()

    heir = project.run("consume", "async", "--name=w1", "--limit=1")

    assert "at the gate" not in early.stdout
    assert "through the gate 7" in heir.stdout


def test_what_a_killed_worker_held_returns_when_its_lease_ends(tmp_path: Path) -> None:
    project = Project(tmp_path)
    toml = project.directory / "messenger.toml"
    toml.write_text(
        toml.read_text().replace('messages.db"', 'messages.db?redeliver_timeout=0.5"', 1)
    )
    project.shut_gate()
    project.dispatch("Gate")
    with project.start("consume", "async") as victim:
        victim.until("at the gate")
        victim.send(signal.SIGKILL)
        victim.ended()
    (project.directory / "shut").unlink()

    heir = project.run("consume", "async", "--name=another", "--limit=1")

    assert "through the gate" in heir.stdout


def test_a_live_worker_keeps_its_message_beyond_the_lease(tmp_path: Path) -> None:
    project = Project(tmp_path)
    toml = project.directory / "messenger.toml"
    toml.write_text(
        toml.read_text().replace('messages.db"', 'messages.db?redeliver_timeout=0.1"', 1)
    )
    project.shut_gate()
    project.dispatch("Gate")
    with project.start("consume", "async", "--limit=1") as slow:
        slow.until("at the gate")
        other = project.run("consume", "async", "--name=another", "--time-limit=2.5")
        project.open_gate()

        assert slow.ended() == 0
    assert "at the gate" not in other.stdout
    assert project.numbers() == NOTHING


def test_two_workers_share_2000_messages_and_none_is_lost_or_doubled(project: Project) -> None:
    assert project.run("setup-transports").returncode == 0
    with project.foreign() as connection:
        connection.execute("BEGIN")
        bodies = [(f'{{"content":"<{number}>"}}', HEADERS) for number in range(2000)]
        connection.executemany(INSERT, bodies)
        connection.execute("COMMIT")

    with (
        project.start("consume", "async", "-vvv") as one,
        project.start("consume", "async", "-vvv") as two,
    ):
        workers = (one, two)
        for worker in workers:
            worker.until(IDLE)
        assert project.numbers() == NOTHING
        for worker in workers:
            worker.send(signal.SIGTERM)
        assert [worker.ended() for worker in workers] == [0, 0]

    handled = Counter(
        line
        for worker in workers
        for line in worker.seen.splitlines()
        if line.startswith("sending")
    )
    assert handled == Counter(f"sending <{number}>" for number in range(2000))


def test_sigterm_lets_the_message_in_hand_finish(project: Project) -> None:
    project.shut_gate()
    project.dispatch("Gate", number=1)
    project.dispatch("Gate", number=2)
    with project.start("consume", "async") as worker:
        worker.until("at the gate 1")
        worker.send(signal.SIGTERM)
        project.open_gate()

        assert worker.ended() == 0
    assert "through the gate 1" in worker.seen
    assert "at the gate 2" not in worker.seen
    assert project.numbers() == {**NOTHING, "ready": 1}


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once_and_the_message_goes_back(
    project: Project, second: signal.Signals
) -> None:
    project.shut_gate()
    project.dispatch("Gate")
    with project.start("consume", "async", "-vv") as worker:
        worker.until("at the gate")
        worker.send(signal.SIGTERM)
        worker.insist(second, "the message in hand went back")

        # one more may have come while the interpreter was leaving: -second
        assert worker.ended() in {128 + second, 128 + signal.SIGTERM, -second}
    assert "the message in hand went back" in worker.seen
    assert project.numbers() == {**NOTHING, "ready": 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_an_idle_worker_obeys_a_signal_at_once(project: Project, number: signal.Signals) -> None:
    with project.start("consume", "async", "-vvv") as worker:
        worker.until(IDLE)
        began = time.monotonic()
        worker.send(number)

        worker.until(f"Received signal {number.name}.")
        assert time.monotonic() - began < 2
        assert worker.ended() == 0


def test_stop_workers_ends_the_idle_and_the_busy(project: Project) -> None:
    project.shut_gate()
    project.dispatch("Gate")
    with ExitStack() as stack:
        busy = stack.enter_context(project.start("consume", "async", "-vvv"))
        busy.until("at the gate")
        idle = stack.enter_context(project.start("messenger:consume", "async", "-vvv"))
        idle.until(IDLE)

        done = project.run("messenger:stop-workers")
        asked = time.monotonic()

        assert done.returncode == 0
        assert "[OK] Signal successfully sent to stop any running workers." in done.stderr
        idle.until("Worker stopped because a restart was requested.")
        assert time.monotonic() - asked < 2
        assert idle.ended() == 0
        project.open_gate()
        assert busy.ended() == 0
        assert "through the gate" in busy.seen
        assert "Worker stopped because a restart was requested." in busy.seen
        later = project.run("consume", "async", "--time-limit=0.1", "-vv")
        assert "time limit" in later.stderr


def test_a_stop_flag_of_another_store_reaches_an_idle_worker(project: Project) -> None:
    toml = project.directory / "messenger.toml"
    text = toml.read_text().replace(
        "[transports]", '[transports]\nflags = "sqlite:///var/flags.db"'
    )
    toml.write_text('restart_flag = "flags"\n' + text)
    with project.start("consume", "async", "-vvv") as worker:
        worker.until(IDLE)
        project.run("stop-workers")

        assert worker.ended() == 0
    assert "a restart was requested" in worker.seen


def test_a_row_of_any_program_wakes_an_idle_worker(project: Project) -> None:
    with project.start("consume", "async", "-vvv") as worker:
        worker.until(IDLE)
        with project.foreign() as connection:
            connection.execute("PRAGMA journal_mode")
            began = time.monotonic()
            connection.execute(INSERT, ('{"content":"from outside"}', HEADERS))

            worker.until("sending from outside")

            assert time.monotonic() - began < 1


def test_a_queue_that_was_deleted_is_served_again_when_it_is_back(project: Project) -> None:
    with project.start("consume", "async", "-vvv") as worker:
        worker.until(IDLE)
        for file in project.database.parent.iterdir():
            file.unlink()

        project.dispatch("SmsNotification", content="after the deletion")

        worker.until("sending after the deletion")


def test_a_message_wakes_a_worker_through_a_link_to_the_database(project: Project) -> None:
    (project.directory / "shared").mkdir()
    project.database.parent.mkdir()
    project.database.symlink_to(project.directory / "shared" / "messages.db")
    with project.start("consume", "async", "-vvv") as worker:
        worker.until(IDLE)

        project.dispatch("SmsNotification", content="through the link")

        worker.until("sending through the link")


def test_a_locked_database_is_waited_for_and_said_once(project: Project) -> None:
    project.dispatch("SmsNotification", content="patience")
    with project.foreign() as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with project.start("consume", "async") as worker:
            worker.until("is locked by another program")
            connection.execute("ROLLBACK")

            worker.until("sending patience")
            worker.send(signal.SIGTERM)

            assert worker.ended() == 0
    assert worker.seen.count("is locked by another program") == 1
    assert "transport async works again" in worker.seen


def test_an_idle_worker_uses_no_cpu(project: Project) -> None:
    with project.start("consume", "async", "-vvv") as worker:
        worker.until(IDLE)
        switches = _switches(worker.pid)

        project.run("stats")  # another process comes and goes, half a second or so

        assert _switches(worker.pid) - switches < 20


def _switches(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line)
