"""The change signal: every writer is heard, and nobody else."""

from __future__ import annotations

import select
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from workers.transports.changes import Watch, open_watch

FOREVER = 10.0


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "q.db"
    write(path, "CREATE TABLE t (x)")
    return path


@pytest.fixture
def watch(database: Path) -> Iterator[Watch]:
    watch = open_watch(database)
    assert watch is not None
    yield watch
    watch.close()


def write(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def heard(watch: Watch, wait: float = FOREVER) -> bool:
    return bool(select.select([watch.fileno()], [], [], wait)[0])


def test_it_is_silent_until_something_changes_and_after_it_was_drained(
    watch: Watch, database: Path
) -> None:
    assert not heard(watch, 0)

    write(database, "INSERT INTO t VALUES (1)")

    assert heard(watch)
    watch.drain()
    assert not heard(watch, 0)


def test_a_writer_with_a_rollback_journal_is_heard(watch: Watch, database: Path) -> None:
    write(database, "PRAGMA journal_mode = TRUNCATE", "INSERT INTO t VALUES (1)")

    assert heard(watch)


def test_a_writer_into_a_log_that_appears_later_is_heard(watch: Watch, database: Path) -> None:
    keeper = sqlite3.connect(database, isolation_level=None)
    keeper.execute("PRAGMA journal_mode = WAL")
    keeper.execute("INSERT INTO t VALUES (0)")
    watch.drain()
    assert not heard(watch, 0)

    write(database, "INSERT INTO t VALUES (1)")

    assert heard(watch)
    keeper.close()


def test_a_file_that_takes_its_place_is_heard_and_then_followed(
    watch: Watch, database: Path
) -> None:
    other = database.with_name("other.db")
    write(other, "CREATE TABLE t (x)")
    watch.drain()

    other.rename(database)

    assert heard(watch)
    assert watch.drain()
    write(database, "INSERT INTO t VALUES (1)")
    assert heard(watch)


def test_reading_and_the_neighbours_are_not_heard(watch: Watch, database: Path) -> None:
    neighbour = database.with_name("log.txt")
    neighbour.touch()
    watch.drain()

    write(database, "SELECT * FROM t")
    neighbour.write_text("a line")

    assert not heard(watch, 0)


def test_where_there_is_no_directory_there_is_no_watch(tmp_path: Path) -> None:
    assert open_watch(tmp_path / "gone" / "q.db") is None
