"""A queue in an SQLite file: Symfony's table, our leases beside it, and a wait without polling.

The contract is in ``base``; this file translates it into transactions of one file. A
lease is the row's ``delivered_at`` (which hides it from PHP workers, too) and a row of
ours that says who has it. It ends ``redeliver_timeout`` seconds later, unless its holder
is seen to live on this host: a handler may take hours.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from workers.envelope import Envelope
from workers.errors import TransportError
from workers.serializer import Encoded, Serializer
from workers.stamps import Delay, TransportMessageId
from workers.transports.base import Sender, Stats
from workers.transports.changes import Watch, open_watch
from workers.transports.owner_locks import OwnerLocks
from workers.transports.pause import Pause
from workers.transports.sql import statements, timestamp
from workers.transports.sqlite_file import SqliteFile
from workers.transports.sqlite_leases import Holder, Leases, Taken, sweep
from workers.transports.sqlite_options import OPTIONS, SqliteOptions
from workers.transports.sqlite_setup import create, missing_from

__all__ = ["OPTIONS", "SqliteTransport"]

_BUSY_GET: Final = 0.5  # seconds a worker that has nothing in hand waits for other writers
_POLL: Final = 0.05  # seconds between two looks where the system announces no changes
_LONGEST_WAIT: Final = 60.0  # a wall clock may be set: look again at least this often
_RESTART: Final = "restart_requested_at"


class SqliteTransport:
    """One queue of the database at ``path``."""

    def __init__(
        self,
        name: str,
        path: Path,
        serializer: Serializer,
        options: Mapping[str, str],
        clock: Callable[[], float] = time.time,  # noqa: TID251 - rows carry wall times, tests their own
    ) -> None:
        """Open nothing yet.

        Raises:
            ConfigError: an option has a value that cannot be used.
        """
        self._name = name
        self._serializer = serializer
        self._clock = clock
        self._options = said = SqliteOptions.read(name, options)
        self._sql = statements(said.table_name)
        self._locks = OwnerLocks(path)
        self._holder = Holder(self._sql, self._locks)
        self._leases = [self._leases_on(said.queue_name)]
        self._inherited = True
        self._setting_up = False
        self._file = SqliteFile(
            f'transport "{name}"',
            path,
            synchronous=said.synchronous,
            patience=said.busy_timeout,
            prepare=self._prepare,
        )
        self._watch: Watch | None = None
        self._watch_tried = False
        self._pause: Pause | None = None
        self._interrupted = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def place(self) -> str:
        return str(self._file.path)

    def send(self, envelope: Envelope) -> Envelope:
        encoded = self._serializer.encode(envelope)
        delay = envelope.last(Delay)
        if delay is None or delay.seconds <= 0:
            new = self._file.autocommit(self._sql.insert, self._row(encoded, 0.0))
        else:
            with self._file.writing() as connection:
                new = self._insert(connection, encoded, delay.seconds)
        return envelope.with_(TransportMessageId(new))

    def consume_as(self, holder: str) -> None:
        self._holder.call(holder)
        self._inherited = False

    def consume_queues(self, queues: Sequence[str]) -> None:
        """Take from these queues of the table instead of the one in the DSN, in this order."""
        self._leases = [self._leases_on(queue) for queue in queues]

    def get(self, limit: int, wait: float) -> Sequence[Envelope]:
        deadline = time.monotonic() + wait
        waiter = self._waiter() if wait > 0 else None
        while True:
            taken = self._take(limit)
            left = deadline - time.monotonic()
            if taken or waiter is None or left <= 0 or self._interrupted:
                break
            fds, due = self.wake_fds(), self.due_in()
            self._interrupted = waiter.wait(fds, left if due is None else min(left, due))
        if not taken:
            self._interrupted = False
        decode = self._serializer.decode
        return [decode(row.body, row.headers, TransportMessageId(row.id)) for row in taken]

    def ack(self, *envelopes: Envelope) -> None:
        ids = [_id(envelope) for envelope in envelopes]
        with self._file.writing() as connection:
            self._leases[0].settle(connection, ids)

    def reject(self, *envelopes: Envelope) -> None:
        self.ack(*envelopes)

    def release(self, *envelopes: Envelope) -> None:
        ids = [_id(envelope) for envelope in envelopes]
        with self._file.writing() as connection:
            self._leases[0].release(connection, ids)

    def replace(self, envelope: Envelope, again: Envelope, to: Sender | None = None) -> Envelope:
        to = to or self
        if not isinstance(to, SqliteTransport) or not self._same_store(to):
            return self._replace_elsewhere(envelope, again, to)
        encoded = self._serializer.encode(again)
        delay = again.last(Delay)
        to._ensure_ready()  # noqa: SLF001 - one of us
        with self._file.writing() as connection:
            queue = self._leases[0].queue_of(connection, _id(envelope)) if to is self else ""
            if not self._leases[0].settle(connection, [_id(envelope)]):
                return again
            new = to._insert(connection, encoded, delay.seconds if delay else 0.0, queue)  # noqa: SLF001
        return again.with_(TransportMessageId(new))

    def interrupt(self) -> None:
        self._interrupted = True
        if self._pause is not None:
            self._pause.interrupt()

    def count(self) -> int:
        return self.stats().ready

    def stats(self) -> Stats:
        with self._file.reading() as connection:
            return self._leases[0].stats(connection, self._clock())

    def wake_fds(self) -> Sequence[int]:
        self._ensure_ready()
        if not self._watch_tried:
            self._watch_tried = True
            self._watch = open_watch(self._file.path)
        return (self._watch.fileno(),) if self._watch else ()

    def due_in(self) -> float | None:
        now = self._clock()
        with self._file.reading() as connection:
            times = [queue.next_change(connection, now) for queue in self._leases]
        waits = [max(0.0, at - now) for at in times if at is not None]
        return min([*waits, _LONGEST_WAIT if self._watch else _POLL])

    def request_restart(self, now: float) -> None:
        with self._file.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO messenger_flags (name, value) VALUES (?, ?)",
                (_RESTART, now),
            )

    def restart_requested_at(self) -> float | None:
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT value FROM messenger_flags WHERE name = ?", (_RESTART,)
            ).fetchone()
        return float(row[0]) if row else None

    def setup(self) -> None:
        self._setting_up = True
        try:
            with self._file.reading() as connection:
                create(connection, self._options.table_name)
        finally:
            self._setting_up = False

    def close(self) -> None:
        self._forget_watch()
        if self._pause is not None:
            self._pause.close()
            self._pause = None
        self._file.close()
        self._locks.close()

    def _take(self, limit: int) -> list[Taken]:
        """Look for messages, behind whoever is writing now: what woke us may not be visible yet.

        A lease need not survive a power failure: the message would be delivered again.
        """
        if self._watch is not None and self._watch.drain():
            self._file.distrust()
        now = self._clock()
        taken: list[Taken] = []
        try:
            with self._file.writing(_BUSY_GET, durable=False) as connection:
                if not self._inherited:
                    self._inherit(connection)
                for queue in self._leases:
                    if len(taken) < limit:
                        taken += queue.take(connection, limit - len(taken), now)
        except BaseException:
            self._forget_file()  # what was registered went back with the transaction
            raise
        self._inherited = True
        return taken

    def _inherit(self, connection: sqlite3.Connection) -> None:
        sweep(connection, self._sql, self._holder)
        for queue in self._leases:
            queue.inherit(connection)

    def _forget_file(self) -> None:
        self._holder.forget_file()
        for queue in self._leases:
            queue.forget_file()

    def _leases_on(self, queue: str) -> Leases:
        return Leases(self._sql, queue, self._options.redeliver_timeout, self._holder)

    def _replace_elsewhere(self, envelope: Envelope, again: Envelope, to: Sender) -> Envelope:
        with self._file.reading() as connection:
            if not self._leases[0].has(connection, _id(envelope)):
                return again
        sent = to.send(again)
        self.reject(envelope)
        return sent

    def _insert(
        self, connection: sqlite3.Connection, encoded: Encoded, delay: float, queue: str = ""
    ) -> int:
        row = self._row(encoded, delay, queue)
        new = connection.execute(self._sql.insert, row).lastrowid or 0
        if delay > 0:
            connection.execute(self._sql.delay, (new, self._clock() + delay))
        return new

    def _row(self, encoded: Encoded, delay: float, queue: str = "") -> tuple[object, ...]:
        now = self._clock()
        created = timestamp(now)
        due = timestamp(now + delay) if delay > 0 else created
        queue = queue or self._options.queue_name
        return (encoded.body, encoded.headers_json, queue, created, due)

    def _same_store(self, other: SqliteTransport) -> bool:
        return other is self or self._file.same_file(other._file)

    def _ensure_ready(self) -> None:
        with self._file.reading():
            pass

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Meet a connection to a file not seen before: create what is missing, or say so."""
        self._forget_watch()
        self._forget_file()
        missing = missing_from(connection, self._options.table_name)
        if missing and not (self._options.auto_setup or self._setting_up):
            raise TransportError(
                f'transport "{self._name}": {self.place} has no {missing[0]}; '
                "run: messenger setup-transports"
            )
        if missing:
            create(connection, self._options.table_name)

    def _forget_watch(self) -> None:
        if self._watch is not None:
            self._watch.close()
        self._watch, self._watch_tried = None, False

    def _waiter(self) -> Pause:
        if self._pause is None:
            self._pause = Pause()
        return self._pause


def _id(envelope: Envelope) -> int:
    stamp = envelope.last(TransportMessageId)
    if stamp is None:
        raise ValueError("this envelope did not come from a queue: it has no TransportMessageId")
    return int(stamp.id)
