from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from workers.transports.owner_locks import OwnerLocks


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "messages.db"


@contextmanager
def holder(database: Path, owner: int) -> Iterator[int]:
    """Let a child hold the place of ``owner``; give the inode it says."""
    said, saying = os.pipe()
    end, hold = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(hold)
            os.write(saying, str(OwnerLocks(database).hold(owner)).encode())
            os.read(end, 1)
        finally:
            os._exit(0)
    try:
        yield int(os.read(said, 100))
    finally:
        os.close(hold)
        os.waitpid(pid, 0)
        for fd in (said, saying, end):
            os.close(fd)


def test_a_place_is_free_once_its_process_is_gone(database: Path) -> None:
    locks = OwnerLocks(database)
    with holder(database, 7) as inode:
        assert not locks.is_free(7, inode)
        assert locks.is_free(8, inode)

    assert locks.is_free(7, inode)
    locks.close()


def test_nothing_is_proven_about_a_file_that_was_replaced(database: Path) -> None:
    locks = OwnerLocks(database)
    with holder(database, 7) as inode:
        database.with_name("messages.db-owners").unlink()

        assert not locks.is_free(7, inode)  # there is none
        assert locks.hold(8) != inode
        assert not locks.is_free(7, inode)  # there is another one
    locks.close()


def test_looking_makes_no_file(database: Path) -> None:
    assert not OwnerLocks(database).is_free(1, 1)
    assert list(database.parent.iterdir()) == []


def test_two_transports_of_one_process_hold_one_place(database: Path) -> None:
    one, two, look = OwnerLocks(database), OwnerLocks(database), OwnerLocks(database)
    inode = one.hold(7)
    assert inode is not None
    assert two.hold(7) == inode

    one.close()
    held = not look.is_free(7, inode)
    two.close()

    assert held
    assert look.is_free(7, inode)
    look.close()


def test_a_directory_that_cannot_be_written_proves_nothing(tmp_path: Path) -> None:
    assert OwnerLocks(tmp_path / "gone" / "messages.db").hold(1) is None
