"""``messenger`` through argv, standard output, standard error and the exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.messenger import HEADERS, INSERT, NOTHING, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_first_example_of_the_readme(project: Project) -> None:
    sent = project.run("dispatch", "app.SmsNotification", '{"content": "hello"}')
    done = project.run("consume", "async", "--limit=1", "-vv")

    assert (sent.returncode, sent.stdout) == (0, "app.SmsNotification sent to async (id 1)\n")
    assert (done.returncode, done.stdout) == (0, "sending hello\n")
    assert '[OK] Consuming messages from transport "async".' in done.stderr
    assert "once it has processed 1 messages or received a stop signal" in done.stderr
    assert f"async: {project.database}" in done.stderr
    for text in (
        "Received message app.SmsNotification",
        "Message app.SmsNotification handled by app.send_sms",
        "app.SmsNotification was handled successfully (acknowledging to transport).",
        "Worker stopped due to maximum count of 1 messages processed",
        "Stopping worker.",
    ):
        assert f"INFO      [messenger] {text}" in done.stderr
    assert project.numbers() == NOTHING


def test_the_banner_names_every_limit_and_quiet_says_nothing(project: Project) -> None:
    limits = ("--limit=5", "-f", "2", "-m", "512M", "-t", "0.01")
    loud = project.run("messenger:consume", "async", "failed", *limits)
    quiet = project.run("consume", "async", "-t", "0.01", "-q")

    text = " ".join(loud.stderr.replace("//", "").split())
    assert '[OK] Consuming messages from transports "async, failed".' in text
    assert (
        "once it has processed 5 messages, reached 2 failed messages, exceeded 512M of memory, "
        "been running for 0.01s or received a stop signal via the messenger:stop-workers command."
    ) in text
    assert "Re-run the command with a -vv option" in text
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_a_body_can_come_from_standard_input_and_a_delay_is_obeyed(project: Project) -> None:
    done = project.run(
        "dispatch", "app.SmsNotification", "-", "--delay=600", stdin='{"content": "é"}'
    )

    assert done.returncode == 0
    assert project.numbers() == {**NOTHING, "delayed": 1}


@pytest.mark.parametrize(
    ("argv", "status", "text"),
    [
        (
            ["consume", "nope"],
            1,
            'The receiver "nope" does not exist. Valid receivers are: async, ',
        ),
        (["consume"], 2, "which receivers, in order of priority? async, remote"),
        (["consume", "remote"], 1, "MESSENGER_TRANSPORT_DSN"),
        (["consume", "async", "--bus=other"], 1, 'Bus named "other" does not exist.'),
        (["consume", "async", "--limit=x"], 2, '"limit" must be a positive integer, "x" passed.'),
        (["consume", "async", "--limit=0"], 2, '"limit" must be a positive integer, "0" passed.'),
        (["consume", "async", "-m", "much"], 2, '"memory-limit" must be a size such as 128M'),
        (["consume", "async", "-t", "-1"], 2, "time-limit"),
        (["consume", "async", "--lim=1"], 2, "unrecognized arguments: --lim=1"),
        (["consume", "async", "-c", "gone.toml"], 1, "gone.toml"),
        (["dispatch", "app.SmsNotificatio", "{}"], 1, "app.SmsNotification"),
        (["dispatch", "app.SmsNotification", "{}"], 1, "content"),
        (["dispatch", "app.SmsNotification", "{"], 1, "app.SmsNotification cannot be read"),
        (["stats", "nope"], 1, 'The "nope" transport does not exist. There are: async, failed'),
        (["setup-transports", "nope"], 1, 'The "nope" transport does not exist.'),
        (["nonsense"], 2, "invalid choice: 'nonsense'"),
        ([], 2, "COMMAND"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    project: Project, argv: list[str], status: int, text: str
) -> None:
    done = project.run(*argv)

    assert done.returncode == status
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_wrong_routing_is_found_before_anything_is_taken(project: Project) -> None:
    project.dispatch("SmsNotification", content="x")
    toml = project.directory / "messenger.toml"
    toml.write_text(toml.read_text().replace('"app.*"', '"app.Nope"'))

    done = project.run("consume", "async", "--limit=1")

    assert done.returncode == 1
    assert 'routing] "app.Nope": there is no such class' in done.stderr
    toml.write_text(toml.read_text().replace('"app.Nope"', '"app.*"'))
    assert project.numbers() == {**NOTHING, "ready": 1}


def test_the_numbers_of_every_transport_and_why_one_has_none(project: Project) -> None:
    project.dispatch("SmsNotification", content="x")

    text = project.run("stats")
    document = json.loads(project.run("messenger:stats", "--format=json").stdout)

    assert text.returncode == 0
    assert "not configured" in text.stdout
    assert str(project.database) in text.stdout
    assert document["transports"]["async"] == {
        "count": 1, "ready": 1, "delayed": 0, "in_hand": 0, "abandoned": 0,
        "place": str(project.database),
    }  # fmt: skip
    assert document["uncountable_transports"] == ["remote"]
    assert "MESSENGER_TRANSPORT_DSN" in document["reasons"]["remote"]


def test_transports_are_set_up_once_and_again(project: Project) -> None:
    first = project.run("setup-transports", "async")
    again = project.run("messenger:setup-transports")

    assert '[OK] The "async" transport was set up successfully.' in first.stderr
    assert '[OK] The "failed" transport was set up successfully.' in again.stderr
    assert "[NOTE]" in again.stderr  # remote
    assert (first.returncode, again.returncode) == (0, 0)


def test_without_auto_setup_the_table_is_asked_for(project: Project) -> None:
    toml = project.directory / "messenger.toml"
    toml.write_text(toml.read_text().replace('messages.db"', 'messages.db?auto_setup=false"', 1))

    before = project.run("dispatch", "app.SmsNotification", '{"content": "x"}')
    project.run("setup-transports", "async")
    after = project.run("dispatch", "app.SmsNotification", '{"content": "x"}')

    assert before.returncode == 1
    assert "messages.db has no messenger_messages; run: messenger setup-transports" in before.stderr
    assert after.returncode == 0


@pytest.mark.parametrize(
    ("how", "error"),
    [("raise", "no such number"), ("exit", "it ended with SystemExit: 3")],
)
def test_a_handler_that_fails_is_tried_again_and_then_set_aside(
    project: Project, how: str, error: str
) -> None:
    project.dispatch("Boom", how=how)

    done = project.run("consume", "async", "--limit=2", "-vv")

    assert done.returncode == 0
    assert done.stdout == "exploding\nexploding\n"
    text = "Error thrown while handling message app.Boom."
    assert f"WARNING   [messenger] {text} Sending for retry #1 using" in done.stderr
    assert f"CRITICAL  [messenger] {text} Removing from transport after 1 retries." in done.stderr
    assert f'Error: "Handling "app.Boom" failed: {error}"' in done.stderr
    assert "will be sent to the failure transport failed." in done.stderr
    assert project.numbers() == NOTHING
    assert project.numbers("failed") == {**NOTHING, "ready": 1}
    with project.foreign() as connection:
        (headers,) = connection.execute("SELECT headers FROM messenger_messages").fetchone()
    assert error in headers
    assert "SentToFailureTransportStamp" in headers


def test_what_fails_in_the_failure_transport_stays_there(project: Project) -> None:
    project.dispatch("Boom")
    project.run("consume", "async", "--limit=2")

    project.run("consume", "failed", "--limit=1")

    assert sum(project.numbers("failed").values()) == 1


def test_without_a_failure_transport_nothing_is_deleted(project: Project) -> None:
    toml = project.directory / "messenger.toml"
    toml.write_text(toml.read_text().replace('failure_transport = "failed"', ""))
    project.dispatch("Boom")

    done = project.run("consume", "async", "--limit=2")

    assert "stays in async and is tried again in an hour" in done.stderr
    assert project.numbers() == {**NOTHING, "delayed": 1}


def test_what_cannot_be_decoded_is_set_aside_with_its_bytes_and_the_worker_goes_on(
    project: Project,
) -> None:
    project.run("setup-transports")
    poison = [
        ("{broken", HEADERS),
        (b"\xff\xfe", HEADERS),
        ("{}", "not json"),
        ("x", '{"type":"no.X"}'),
    ]
    with project.foreign() as connection:
        connection.executemany(INSERT, poison)
        connection.execute(INSERT, ('{"content":"good"}', HEADERS))

    done = project.run("consume", "async", "--limit=5")

    assert done.stdout == "sending good\n"
    assert project.numbers("failed") == {**NOTHING, "ready": 4}
    with project.foreign() as connection:
        bodies = [row[0] for row in connection.execute("SELECT body FROM messenger_messages")]
    assert sorted(bodies, key=repr) == sorted((body for body, _ in poison), key=repr)


def test_a_limit_of_failures_stops_and_gives_the_rest_back(project: Project) -> None:
    for _ in range(3):
        project.dispatch("Boom")

    done = project.run("consume", "async", "--failure-limit=1", "-vv")

    assert done.stdout == "exploding\n"
    assert "limit of 1 failed message(s) is reached" in done.stderr
    assert sum(project.numbers().values()) == 3


def test_a_limit_of_memory_stops_after_a_message(project: Project) -> None:
    for content in "ab":
        project.dispatch("SmsNotification", content=content)

    done = project.run("consume", "async", "--memory-limit=1k", "-vv")

    assert "Worker stopped due to memory limit of 1024 bytes exceeded" in done.stderr
    assert done.returncode == 0


def test_receivers_are_drained_strictly_in_the_order_given(project: Project) -> None:
    project.run("setup-transports")
    with project.foreign() as connection:
        for queue in ("low", "high"):
            insert = INSERT.replace("'default'", f"'{queue}'")
            rows = [(f'{{"content":"{queue} {number}"}}', HEADERS) for number in range(3)]
            connection.executemany(insert, rows)
    toml = project.directory / "messenger.toml"
    more = "".join(
        f'{queue} = "sqlite:///var/messages.db?queue_name={queue}"\n' for queue in ("low", "high")
    )
    toml.write_text(toml.read_text().replace("[transports]\n", f"[transports]\n{more}"))

    done = project.run("consume", "high", "low", "--limit=6")

    queues = [f"sending {queue} {number}" for queue in ("high", "low") for number in range(3)]
    assert done.stdout.splitlines() == queues


def test_only_the_queues_that_are_named_are_consumed(project: Project) -> None:
    project.run("setup-transports")
    with project.foreign() as connection:
        for queue in ("default", "b", "a"):
            insert = INSERT.replace("'default'", f"'{queue}'")
            connection.execute(insert, (f'{{"content":"{queue}"}}', HEADERS))

    done = project.run("consume", "async", "--queues=a", "--queues=b", "--limit=2")

    assert done.stdout == "sending a\nsending b\n"
    assert project.numbers() == {**NOTHING, "ready": 1}


def test_the_log_file_tells_each_message(project: Project) -> None:
    toml = project.directory / "messenger.toml"
    toml.write_text(toml.read_text() + '\n[log]\nfile = "var/log/messenger.log"\nlevel = "info"\n')
    project.dispatch("SmsNotification", content="x")

    project.run("consume", "async", "--limit=1", "-q")

    log = (project.directory / "var/log/messenger.log").read_text()
    for text in ("Received message", "handled by app.send_sms", "was handled successfully"):
        assert text in log


def test_a_log_that_cannot_be_opened_does_not_stop_the_work(project: Project) -> None:
    (project.directory / "log").mkdir()
    toml = project.directory / "messenger.toml"
    toml.write_text(toml.read_text() + '\n[log]\nfile = "log"\n')
    project.dispatch("SmsNotification", content="x")

    done = project.run("consume", "async", "--limit=1")

    assert done.stdout == "sending x\n"
    assert "messenger: no log:" in done.stderr


def test_a_file_that_is_no_database_is_said(project: Project) -> None:
    project.database.parent.mkdir()
    project.database.write_bytes(b"hello, I am a text file\n" * 100)

    for argv in (["dispatch", "app.SmsNotification", '{"content": "x"}'], ["stats", "async"]):
        done = project.run(*argv)

        assert done.returncode == 1
        assert f'transport "async": {project.database} is not an SQLite database' in done.stderr


def test_a_locked_database_is_said_after_the_patience_that_was_asked_for(project: Project) -> None:
    toml = project.directory / "messenger.toml"
    toml.write_text(toml.read_text().replace('messages.db"', 'messages.db?busy_timeout=0.05"', 1))
    project.run("setup-transports")
    with project.foreign() as connection:
        connection.execute("BEGIN IMMEDIATE")

        done = project.run("dispatch", "app.SmsNotification", '{"content": "x"}')

    assert done.returncode == 1
    assert f"{project.database} is locked by another program" in done.stderr


def test_a_read_only_database_is_said_and_a_worker_stays(project: Project) -> None:
    project.dispatch("SmsNotification", content="x")
    with project.foreign() as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    project.database.chmod(0o444)
    project.messenger = [sys.executable, "-c", _WITHOUT_RIGHTS, *project.messenger]

    sent = project.run("dispatch", "app.SmsNotification", '{"content": "x"}')
    numbers = project.run("stats", "async")
    worker = project.run("consume", "async", "--time-limit=0.5")

    text = f"{project.database} cannot be written: it, or its directory, is read-only"
    assert sent.returncode == 1
    assert text in sent.stderr
    assert numbers.returncode == 0
    assert worker.returncode == 0
    assert worker.stderr.count(text) == 1


# Root may write everything; this takes that right away and runs the rest of the command line.
_WITHOUT_RIGHTS = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_reader_that_hangs_up_is_no_traceback(project: Project) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*project.messenger, "stats"], cwd=project.directory, env=project.environ,
        stdout=writer, stderr=subprocess.PIPE, timeout=15, check=False,
    )  # fmt: skip
    os.close(writer)

    assert done.stderr == b""
    assert done.returncode == 1


def test_help_lists_the_commands(project: Project) -> None:
    done = project.run("--help")

    assert done.returncode == 0
    for name in ("consume", "stop-workers", "dispatch", "stats", "setup-transports"):
        assert name in done.stdout
