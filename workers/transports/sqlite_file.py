"""One SQLite file: opened late, reopened when it was replaced, its errors in a user's words.

A connection belongs to one process (after a fork the child opens its own) and to the
file that was at the path when it was opened: a queue (or its log) deleted by hand would
otherwise be served from a file that nobody can see. Several threads may use it, one at a time.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from workers.errors import TransportError

_OLDEST: Final = (3, 35, 0)  # RETURNING
_SYNC: Final = 0.02  # seconds; most syncs take less
_TRUST: Final = 0.05  # seconds for which the file at the path is not looked at again
_STEP: Final = 0.0003
_LOG_INDEX: Final = 32_768  # bytes of its first part
_PAGE: Final = 2048  # bytes; a message touches four pages of a few hundred bytes each
_LOG_PAGES: Final = 8000  # a checkpoint costs two syncs; SQLite's 1000 are 250 messages

_WORDS: Final = {
    sqlite3.SQLITE_BUSY: "is locked by another program",
    sqlite3.SQLITE_LOCKED: "is locked by another program",
    sqlite3.SQLITE_READONLY: "cannot be written: it, or its directory, is read-only",
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: no permission, or a directory is in its place",
    sqlite3.SQLITE_NOTADB: "is not an SQLite database",
    sqlite3.SQLITE_CORRUPT: "is damaged (PRAGMA integrity_check says more)",
    sqlite3.SQLITE_PERM: "cannot be opened: no permission",
}
_BROKEN: Final = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SqliteFile:
    """The file at ``path``. ``prepare`` is called with every new connection."""

    def __init__(
        self,
        label: str,
        path: Path,
        *,
        synchronous: str,
        patience: float,
        prepare: Callable[[sqlite3.Connection], None],
    ) -> None:
        self.path = path
        self._label = label
        self._synchronous = synchronous
        self._patience = patience
        self._prepare = prepare
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int, int] | None = None  # device, inode, inode of the log
        self._log = path
        self._process = 0
        self._trusted_until = 0.0
        self._left_behind: list[sqlite3.Connection] = []  # a parent's: not ours to close
        self._waits = patience
        self._syncs = self._relaxed = synchronous
        self._lock = threading.RLock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection, and turn what SQLite says into a ``TransportError``."""
        with self._lock:
            try:
                yield self._current()
            except (sqlite3.Error, OSError) as error:
                self._doubt(error)
                raise self._explain(error) from error

    @contextmanager
    def writing(
        self, patience: float | None = None, *, durable: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from the start: all of it, or nothing.

        ``patience`` is how many seconds to wait for other writers (default: the option).
        One that is not ``durable`` may be undone by a power failure, as a whole.
        """
        with self.reading() as connection:
            self._sync_as(connection, self._synchronous if durable else self._relaxed)
            try:
                if not self._begin_soon(connection):
                    self._wait_at_most(connection, self._patience if patience is None else patience)
                    connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def autocommit(self, statement: str, values: tuple[object, ...]) -> int:
        """Run one INSERT as a transaction of its own; give the id of the new row."""
        with self._lock:
            try:
                connection = self._current()
                self._sync_as(connection, self._synchronous)
                self._wait_at_most(connection, self._patience)
                return connection.execute(statement, values).lastrowid or 0
            except (sqlite3.Error, OSError) as error:
                self._doubt(error)
                raise self._explain(error) from error

    def same_file(self, other: SqliteFile) -> bool:
        """Whether both write into one database, whatever their paths look like."""
        try:
            return self.path.samefile(other.path)
        except OSError:
            return self.path == other.path

    def distrust(self) -> None:
        """Look at the path again before the next use: its file may be another one."""
        self._trusted_until = 0.0

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                if self._process == os.getpid():
                    self._connection.close()
                else:
                    self._left_behind.append(self._connection)
            self._connection = self._opened = None

    def _current(self) -> sqlite3.Connection:
        now = time.monotonic()
        if self._connection is not None and os.getpid() == self._process:
            if now < self._trusted_until:
                return self._connection
            if self._opened == self._identity():
                self._trusted_until = now + _TRUST
                return self._connection
        self.close()
        self._connection = self._open()
        self._opened, self._process = self._identity(), os.getpid()
        self._trusted_until = now + _TRUST
        return self._connection

    def _identity(self) -> tuple[int, int, int] | None:
        """Tell the file, and its log, from every other: neither changes while it is open."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        try:
            log = self._log.stat().st_ino
        except FileNotFoundError:
            log = 0
        return found.st_dev, found.st_ino, log

    def _open(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < _OLDEST:
            found, needed = sqlite3.sqlite_version, ".".join(map(str, _OLDEST))
            raise TransportError(f"{self._label} needs SQLite {needed}; this Python has {found}")
        self._make_directory()
        real = self.path.resolve()
        self._log = real.with_name(real.name + "-wal")
        connection = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        try:
            connection.text_factory = _text
            self._waits, self._syncs = self._patience, ""
            logged = self._prefer_wal(connection)
            self._relaxed = (
                "normal" if logged and self._synchronous == "full" else self._synchronous
            )
            self._sync_as(connection, self._synchronous)
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_directory(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TransportError(
                f"{self._label}: cannot make the directory {self.path.parent}: {error.strerror}"
            ) from error

    def _prefer_wal(self, connection: sqlite3.Connection) -> bool:
        """Ask for the write-ahead log; a file that cannot have it is used as it is."""
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE}")  # means nothing to an existing file
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if _primary(error) != sqlite3.SQLITE_READONLY:
                raise
            return False
        return bool(mode == ("wal",))

    def _sync_as(self, connection: sqlite3.Connection, level: str) -> None:
        if level != self._syncs:
            connection.execute(f"PRAGMA synchronous = {level}")
            self._syncs = level

    def _begin_soon(self, connection: sqlite3.Connection) -> bool:
        """Try for the write lock in short steps, as long as a writer's sync takes.

        We are woken by a writer that still syncs; SQLite's own steps of 1, 2, 5, 10 ms
        would double what it takes from there to the handler.
        """
        self._wait_at_most(connection, 0.0)
        deadline = time.monotonic() + _SYNC
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if _primary(error) != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    return False
                time.sleep(_STEP)
            else:
                return True

    def _wait_at_most(self, connection: sqlite3.Connection, seconds: float) -> None:
        if seconds != self._waits:
            connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
            self._waits = seconds

    def _doubt(self, error: sqlite3.Error | OSError) -> None:
        """Open the file anew next time, where the connection may be what is broken.

        It keeps a log that somebody deleted, and answers nothing but errors from then on.
        """
        if isinstance(error, sqlite3.Error) and _primary(error) in _BROKEN:
            self.close()

    def _explain(self, error: sqlite3.Error | OSError) -> TransportError:
        if isinstance(error, OSError):
            return TransportError(f"{self._label}: {self.path}: {error.strerror}")
        code = _primary(error)
        if code == sqlite3.SQLITE_IOERR and self._disk_is_full():
            code = sqlite3.SQLITE_FULL
        words = _WORDS.get(code, f"cannot be used: {error}")
        return TransportError(f"{self._label}: {self.path} {words}")

    def _disk_is_full(self) -> bool:
        """SQLite calls it an I/O error when there is no room for the log's index."""
        try:
            return shutil.disk_usage(self.path.parent).free < _LOG_INDEX
        except OSError:
            return False


def _primary(error: sqlite3.Error) -> int:
    """SQLite's result code without the extension in its upper bytes."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _text(raw: bytes) -> str | bytes:
    """Give text as text; what another program wrote as text and is none, as it is."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
