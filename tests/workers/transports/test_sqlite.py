"""What is particular to SQLite: a table shared with Symfony, leases, and a file that misbehaves."""

from __future__ import annotations

import os
import select
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from workers.envelope import Envelope
from workers.errors import ConfigError, TransportError
from workers.stamps import Delay
from workers.transports.base import Stats, message_id
from workers.transports.sql import statements
from workers.transports.sqlite import SqliteTransport

from tests.support.messages import SmsNotification, serializer

HEADERS = '{"type":"tests.support.messages.SmsNotification"}'
SYMFONY_5 = """
    CREATE TABLE messenger_messages (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
        body CLOB NOT NULL, headers CLOB NOT NULL, queue_name VARCHAR(190) NOT NULL,
        created_at DATETIME NOT NULL, available_at DATETIME NOT NULL,
        delivered_at DATETIME DEFAULT NULL);
    CREATE INDEX IDX_75EA56E0FB7336F0 ON messenger_messages (queue_name);
    CREATE INDEX IDX_75EA56E0E3BD61CE ON messenger_messages (available_at);
    CREATE INDEX IDX_75EA56E016BA31DB ON messenger_messages (delivered_at);
"""
PHP_CLAIM = """UPDATE messenger_messages SET delivered_at = ?
    WHERE id = (SELECT id FROM messenger_messages WHERE queue_name = 'default'
    AND (delivered_at IS NULL OR delivered_at < ?) AND available_at <= ?
    ORDER BY available_at LIMIT 1)"""


class House:
    """One database; ``now`` is everybody's clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
        self._opened: list[SqliteTransport] = []

    def transport(self, name: str = "async", **options: str) -> SqliteTransport:
        made = SqliteTransport(name, self.path, serializer(), options, clock=lambda: self.now)
        self._opened.append(made)
        return made

    def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def change(self, statement: str, values: tuple[object, ...] = ()) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute(statement, values)
        finally:
            connection.close()

    def close(self) -> None:
        for transport in self._opened:
            transport.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "deep" / "var" / "messages.db")
    yield house
    house.close()


def sms(content: str, delay: float = 0.0) -> Envelope:
    return Envelope(SmsNotification(content), (Delay(delay),) if delay else ())


def test_a_row_is_what_symfony_writes(house: House) -> None:
    house.transport(queue_name="mails").send(sms("é/", 90.5))

    assert house.rows("SELECT * FROM messenger_messages") == [
        (
            1,
            r'{"content":"\u00e9\/"}',
            (
                r'{"type":"tests.support.messages.SmsNotification",'
                r'"X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\DelayStamp":'
                r'"[{\"delay\":90500}]","Content-Type":"application\/json"}'
            ),
            "mails",
            "2027-01-15 08:00:00",
            "2027-01-15 08:01:30",
            None,
        )
    ]


def test_the_file_is_synced_in_full_and_keeps_a_log_beside_it(house: House) -> None:
    transport = house.transport()
    transport.send(sms("x"))

    with transport._file.writing() as connection:
        levels = connection.execute("PRAGMA synchronous").fetchone()
    transport.get(1, 0)
    transport.send(sms("y"))  # a lease is not synced; what comes after it is again
    with transport._file.reading() as connection:
        again = connection.execute("PRAGMA synchronous").fetchone()

    assert levels == again == (2,)
    assert house.rows("PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize(("word", "level"), [("normal", 1), ("full", 2), ("OFF", 0)])
def test_how_safely_it_is_written_is_an_option(house: House, word: str, level: int) -> None:
    transport = house.transport(synchronous=word)
    transport.send(sms("x"))

    with transport._file.reading() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (level,)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("table_name", "x; DROP TABLE y"),
        ("queue_name", ""),
        ("queue_name", "q" * 191),
        ("redeliver_timeout", "0"),
        ("redeliver_timeout", "soon"),
        ("redeliver_timeout", "nan"),
        ("busy_timeout", "-1"),
        ("busy_timeout", "inf"),
        ("auto_setup", "maybe"),
        ("synchronous", "very"),
    ],
)
def test_a_wrong_option_is_named_with_its_value(house: House, option: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f'transport "async": {option} is ".*"; it should be'):
        house.transport(**{option: value})


def test_a_table_of_an_old_symfony_is_used_as_it_is_and_claims_stay_cheap(house: House) -> None:
    house.path.parent.mkdir(parents=True)
    connection = sqlite3.connect(house.path)
    connection.executescript(SYMFONY_5)
    connection.close()
    transport = house.transport()
    transport.send(sms("x"))

    (received,) = transport.get(1, 0)

    assert received.message == SmsNotification("x")
    assert "messenger_messages_ready" in _plan_of_a_claim(transport)


def test_a_claim_walks_along_the_index_of_ready_rows(house: House) -> None:
    transport = house.transport()
    transport.send(sms("x"))

    plan = _plan_of_a_claim(transport)

    assert "messenger_messages_ready (queue_name=? AND available_at<?)" in plan
    assert "TEMP B-TREE" not in plan


def _plan_of_a_claim(transport: SqliteTransport) -> str:
    values = {"now": "2030-01-01 00:00:00", "queue": "default", "time": 0, "limit": 5}
    with transport._file.reading() as connection:
        claim = statements("messenger_messages").claim
        return str(connection.execute(f"EXPLAIN QUERY PLAN {claim}", values).fetchall())


def test_two_tables_in_one_file_do_not_mix(house: House) -> None:
    one, other = house.transport(), house.transport("other", table_name="jobs")
    one.send(sms("one"))
    other.send(sms("other"))

    assert [envelope.message for envelope in other.get(5, 0)] == [SmsNotification("other")]
    other.ack(*one.get(5, 0))  # ids are equal, tables are not: nothing of its own is touched
    assert one.stats() == Stats(0, in_hand=1)


def test_a_part_of_a_second_is_waited_for(house: House) -> None:
    house.now += 0.25
    transport = house.transport()
    transport.send(sms("soon", 0.5))
    transport.wake_fds()

    early = transport.get(5, 0)
    due_in = transport.due_in()
    house.now += due_in or 0.0
    on_time = transport.get(5, 0)

    assert early == []
    assert due_in == pytest.approx(0.5, abs=1e-4)
    assert [envelope.message for envelope in on_time] == [SmsNotification("soon")]


def test_a_worker_wakes_for_the_earliest_due_time(house: House) -> None:
    transport = house.transport()
    transport.send(sms("later", 30.0))
    transport.send(sms("sooner", 10.0))
    transport.wake_fds()

    waits = []
    while not (taken := transport.get(5, 0)):
        waits.append(transport.due_in() or 0.0)
        house.now += waits[-1]

    assert [envelope.message for envelope in taken] == [SmsNotification("sooner")]
    assert sum(waits) == pytest.approx(10.0, abs=1e-4)
    assert len(waits) <= 2


def test_what_php_has_taken_is_in_hand_and_returns_after_the_lease(house: House) -> None:
    transport = house.transport(redeliver_timeout="60")
    transport.send(sms("x"))
    now = "2027-01-15 08:00:00"
    house.change(PHP_CLAIM, (now, "2027-01-15 07:00:00", now))

    assert transport.get(1, 0) == []
    assert transport.stats() == Stats(0, in_hand=1)
    house.now += 62
    assert transport.stats() == Stats(1)
    assert len(transport.get(1, 0)) == 1


def test_what_php_took_meanwhile_is_not_removed_by_a_late_ack(house: House) -> None:
    transport = house.transport()
    transport.send(sms("x"))
    taken = transport.get(1, 0)
    late = "2027-01-15 09:00:01"
    house.change(PHP_CLAIM, (late, "2027-01-15 08:00:01", late))

    transport.ack(*taken)
    transport.release(*taken)
    transport.replace(taken[0], taken[0])

    assert house.rows("SELECT delivered_at FROM messenger_messages") == [(late,)]


def test_a_row_from_outside_with_a_body_that_is_no_text_is_given_not_raised(house: House) -> None:
    transport = house.transport()
    transport.setup()
    house.change(
        """INSERT INTO messenger_messages (body, headers, queue_name, created_at, available_at)
        VALUES (CAST(X'ff00' AS TEXT), CAST(X'fe' AS TEXT), 'default', 1, 1)"""
    )

    (given,) = transport.get(1, 0)
    transport.replace(given, given)

    assert house.rows("SELECT CAST(body AS BLOB) FROM messenger_messages") == [(b"\xff\x00",)]


DIE_WITH = """
import os, sys
from pathlib import Path
from tests.support.messages import serializer
from workers.transports.sqlite import SqliteTransport
t = SqliteTransport("async", Path(sys.argv[1]), serializer(), {}, clock=lambda: 1_800_000_000.0)
t.consume_as(sys.argv[2])
t.get(2, 0)
os._exit(0)
"""


def _die_with_two_messages(path: Path, name: str) -> None:
    subprocess.run([sys.executable, "-c", DIE_WITH, str(path), name], check=True)


def test_an_heir_gets_what_the_dead_held_before_anything_else(house: House) -> None:
    transport = house.transport()
    for content in "abc":
        transport.send(sms(content, 10.0))
    house.change("UPDATE messenger_messages SET available_at = '2027-01-15 07:00:00'")
    house.change("DELETE FROM messenger_messages_delays")
    _die_with_two_messages(house.path, "w1")
    house.change("UPDATE messenger_messages SET available_at = '2027-01-15 06:00:00' WHERE id = 3")

    assert transport.stats() == Stats(1, abandoned=2)
    transport.consume_as("w1")
    taken = [*transport.get(1, 0), *transport.get(5, 0)]

    assert [message_id(envelope) for envelope in taken] == [1, 2, 3]
    attempts = house.rows("SELECT message_id, attempts FROM messenger_messages_leases ORDER BY 1")
    assert attempts == [(1, 2), (2, 2), (3, 1)]


def test_nobody_inherits_from_the_living_or_under_another_name(house: House) -> None:
    transport = house.transport()
    for content in "ab":
        transport.send(sms(content))
    alive = house.transport()
    alive.consume_as("w1")
    alive.get(1, 0)
    _die_with_two_messages(house.path, "w2")

    transport.consume_as("w1")

    assert transport.get(5, 0) == []
    assert transport.stats() == Stats(0, in_hand=1, abandoned=1)


def test_a_holder_of_another_pid_namespace_is_dead_once_its_lock_is_free(house: House) -> None:
    transport = house.transport()
    for content in "abc":
        transport.send(sms(content))
    alive = house.transport()
    alive.consume_as("w1")
    alive.get(1, 0)
    _die_with_two_messages(house.path, "w1")
    house.change("UPDATE messenger_messages_owners SET namespace = 'pid:[1]', pid = 1")

    assert transport.stats() == Stats(0, in_hand=1, abandoned=2)
    transport.consume_as("w1")
    assert [message_id(envelope) for envelope in transport.get(5, 0)] == [2, 3]


def test_a_holder_without_a_lock_in_another_namespace_is_not_declared_dead(house: House) -> None:
    transport = house.transport()
    for content in "ab":
        transport.send(sms(content))
    _die_with_two_messages(house.path, "w1")
    house.change("UPDATE messenger_messages_owners SET namespace = 'pid:[1]', pid = 1")
    house.change("DELETE FROM messenger_messages_locks")

    transport.consume_as("w1")

    assert transport.get(5, 0) == []
    assert transport.stats() == Stats(0, in_hand=2)


def test_our_rows_beside_messages_that_are_gone_are_swept(house: House) -> None:
    transport = house.transport()
    transport.send(sms("a", 5.0))
    transport.send(sms("b"))
    _die_with_two_messages(house.path, "w2")
    house.change("DELETE FROM messenger_messages")

    transport.consume_as("w1")
    transport.get(1, 0)

    for table in ("owners", "locks", "leases", "delays"):
        assert house.rows(f"SELECT * FROM messenger_messages_{table}") == []  # noqa: S608 - our own names


def test_a_retry_and_its_original_change_places_in_one_transaction(house: House) -> None:
    transport, failed = house.transport(), house.transport("failed", queue_name="failed")
    transport.send(sms("x"))
    (original,) = transport.get(1, 0)
    house.change(
        """CREATE TRIGGER no_more BEFORE INSERT ON messenger_messages
        BEGIN SELECT RAISE(ABORT, 'no more'); END"""
    )

    for to in (None, failed):
        with pytest.raises(TransportError, match="no more"):
            transport.replace(original, original, to)

    assert transport.stats() == Stats(0, in_hand=1)


def test_a_log_that_was_deleted_is_noticed_and_nothing_in_it_is_lost(house: House) -> None:
    transport = house.transport()
    transport.send(sms("before"))
    (watch,) = transport.wake_fds()
    held = transport.get(1, 0)
    house.path.with_name("messages.db-wal").unlink()
    assert select.select([watch], [], [], 5)[0]

    assert transport.get(1, 0) == []  # the look that follows a wake-up
    house.transport().send(sms("after"))  # a process of its own would be no different
    after = transport.get(1, 0)
    transport.ack(*held, *after)

    assert [one.message for one in (*held, *after)] == [
        SmsNotification("before"),
        SmsNotification("after"),
    ]
    assert house.rows("SELECT * FROM messenger_messages") == []


def test_a_retry_stays_in_the_queue_it_was_taken_from(house: House) -> None:
    house.transport(queue_name="a").send(sms("x"))
    reader = house.transport()
    reader.consume_queues(["b", "a"])
    (envelope,) = reader.get(1, 0)

    reader.replace(envelope, envelope)

    assert house.rows("SELECT queue_name FROM messenger_messages") == [("a",)]
    assert [message_id(one) for one in reader.get(1, 0)] == [2]


def test_what_is_in_hand_can_be_settled_after_a_look_that_failed(house: House) -> None:
    transport = house.transport(busy_timeout="0")
    transport.send(sms("x"))
    (envelope,) = transport.get(1, 0)
    other = sqlite3.connect(house.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransportError, match="locked"):
        transport.get(1, 0)
    other.execute("ROLLBACK")
    other.close()

    transport.ack(envelope)

    assert transport.stats() == Stats(0)


def test_a_full_disk_is_said_and_nothing_is_lost(house: House) -> None:
    transport = house.transport()
    transport.send(sms("kept"))
    with transport._file.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(TransportError, match="the disk is full"):
        transport.send(sms("x" * 100_000))

    (kept,) = transport.get(5, 0)
    assert kept.message == SmsNotification("kept")


def test_a_registration_that_was_undone_is_written_again(house: House) -> None:
    transport = house.transport()
    transport.send(sms("x"))
    house.change(
        """CREATE TRIGGER no_lease BEFORE INSERT ON messenger_messages_leases
        BEGIN SELECT RAISE(ABORT, 'no lease'); END"""
    )
    with pytest.raises(TransportError, match="no lease"):
        transport.get(1, 0)
    house.change("DROP TRIGGER no_lease")

    transport.ack(*transport.get(1, 0))

    assert transport.stats() == Stats(0)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.mkdir(parents=True), "cannot be opened"),
        (lambda path: path.parent.parent.write_text(""), "cannot make the directory"),
    ],
    ids=["directory in its place", "file in the way"],
)
def test_a_path_that_cannot_be_is_named(
    house: House, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(house.path)

    with pytest.raises(TransportError, match=f'transport "async".*{words}'):
        house.transport().send(sms("x"))


def test_several_threads_send_through_one_transport(house: House) -> None:
    transport = house.transport(synchronous="off")

    def send_many() -> None:
        for number in range(50):
            transport.send(sms(str(number)))

    threads = [threading.Thread(target=send_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert transport.count() == 200


def test_a_child_after_a_fork_has_a_connection_of_its_own(house: House) -> None:
    transport = house.transport()
    transport.send(sms("parent"))

    child = os.fork()
    if child == 0:
        try:
            transport.send(sms("child"))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert transport.count() == 2


def test_the_wish_to_restart_is_kept_for_every_queue_of_the_file(house: House) -> None:
    one, other = house.transport(), house.transport("other", queue_name="other")
    assert one.restart_requested_at() is None

    one.request_restart(5.5)
    one.request_restart(7.5)

    assert other.restart_requested_at() == 7.5


def test_without_a_change_signal_it_looks_every_moment(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.transports.sqlite.open_watch", lambda _: None)
    transport = house.transport()
    sender = house.transport()
    thread = threading.Timer(0.1, sender.send, [sms("x")])
    thread.start()

    (received,) = transport.get(1, 10.0)
    thread.join()

    assert received.message == SmsNotification("x")
    assert transport.wake_fds() == ()
    assert transport.due_in() == pytest.approx(0.05)
