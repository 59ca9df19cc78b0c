"""Who has which message of one queue file: taking, returning, and what is known of the holders.

Everything here runs inside a transaction of the caller and reads the clock it is
given. A holder is asked for proof of life only when it matters: at the start of a
process of its name, when a lease has run out, and for the statistics.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from workers.transports.base import Stats
from workers.transports.owner import Fate, Owner
from workers.transports.owner_locks import OwnerLocks
from workers.transports.sql import Statements, epoch, timestamp

logger = logging.getLogger("messenger")

_LOOK_AGAIN: Final = (
    5.0  # seconds until a lease that has ended, but whose holder lives, is looked at
)
_FRACTION: Final = 1.0  # a lease ends on the whole second behind its last one


class Taken(NamedTuple):
    """A row as it is in the table, just leased."""

    id: int
    body: str | bytes
    headers: str | bytes
    available_at: str | bytes


class Holder:
    """This process, as the file knows it: its row is written with its first lease."""

    def __init__(self, sql: Statements, locks: OwnerLocks) -> None:
        self.owner = Owner.current()
        self.id: int | None = None
        self._sql = sql
        self._locks = locks

    def call(self, name: str) -> None:
        """Go by ``name`` from now on."""
        self.owner, self.id = Owner.current(name), None

    def forget_file(self) -> None:
        """Start afresh: the file is another one, this is another process, or it was undone."""
        self.call(self.owner.name)

    def registered(self, connection: sqlite3.Connection) -> int:
        """Give the id of our row, written if need be."""
        if self.id is None:
            me = self.owner
            row = (me.name, me.host, me.boot, me.namespace, me.pid, me.started)
            connection.execute(self._sql.register, row)
            self.id = int(connection.execute(self._sql.owner_id, row).fetchone()[0])
            inode = self._locks.hold(self.id)
            if inode is not None:
                connection.execute(self._sql.lock, (self.id, inode))
        return self.id

    def fate_of(self, who: Sequence[object]) -> Fate:
        """What became of a holder; one that keeps no record of itself (PHP) is not known.

        Where PIDs cannot be compared, the lock of a process of this kernel decides.
        """
        name, host, boot, namespace, pid, started, number, inode = who
        if not isinstance(pid, int):
            return Fate.UNKNOWN
        other = Owner(str(name), str(host), str(boot), str(namespace), pid, str(started))
        fate = self.owner.fate_of(other)
        if fate is not Fate.UNKNOWN or not other.boot or other.boot != self.owner.boot:
            return fate
        if not isinstance(number, int) or not isinstance(inode, int):
            return Fate.UNKNOWN
        return Fate.DEAD if self._locks.is_free(number, inode) else Fate.UNKNOWN


class Leases:
    """The leases of ``holder`` on the messages of ``queue``. They end after ``timeout`` seconds."""

    def __init__(self, sql: Statements, queue: str, timeout: float, holder: Holder) -> None:
        self._sql = sql
        self._queue = queue
        self._timeout = timeout
        self._holder = holder
        self._heritage: list[int] = []
        self._next_return = 0.0

    def forget_file(self) -> None:
        """Start afresh: what was remembered belongs to a file that is gone."""
        self._heritage = []
        self._next_return = 0.0

    def take(self, connection: sqlite3.Connection, limit: int, now: float) -> list[Taken]:
        """Lease up to ``limit`` messages: what was inherited first, then by due time and id."""
        if now >= self._next_return:
            self._return_ended(connection, now)
        values = {"queue": self._queue, "now": timestamp(now), "time": now, "limit": limit}
        taken: list[Taken] = []
        if self._heritage:
            ours, self._heritage = self._heritage[:limit], self._heritage[limit:]
            taken = _rows(connection, self._sql.claim_listed, {**values, "ids": json.dumps(ours)})
        if len(taken) < limit:
            values["limit"] = limit - len(taken)
            taken += _rows(connection, self._sql.claim, values)
        if taken:
            self._write_down(connection, taken, values["now"])
        return taken

    def inherit(self, connection: sqlite3.Connection) -> None:
        """Give back what dead processes of our name held; it is taken before anything else."""
        name = self._holder.owner.name
        left = []
        for message, attempts, *who in connection.execute(
            self._sql.held_by_name, (self._queue, name)
        ).fetchall():
            if self._holder.fate_of(who) is Fate.DEAD:
                logger.warning(
                    "taking up message %s of queue %s again: its worker %s (pid %s) died, try %s",
                    message, self._queue, name, who[4], attempts + 1,
                )  # fmt: skip
                left.append(message)
        self._give_back(connection, left)
        self._heritage = left

    def has(self, connection: sqlite3.Connection, message: int) -> bool:
        """Whether ``message`` is still ours."""
        values = {**self._mine(connection, [message]), "id": message}
        return connection.execute(self._sql.ours, values).fetchone() is not None

    def queue_of(self, connection: sqlite3.Connection, message: int) -> str:
        """Give the queue that ``message`` is in: a worker may read others than its own."""
        row = connection.execute(self._sql.queue_of, (message,)).fetchone()
        return str(row[0]) if row else self._queue

    def settle(self, connection: sqlite3.Connection, ids: Sequence[int]) -> int:
        """Forget those of ``ids`` that are ours; give how many that were."""
        values = self._mine(connection, ids)
        gone = connection.execute(self._sql.forget, values).rowcount
        connection.execute(self._sql.unlease, values)
        connection.execute(self._sql.undelay, values)
        return gone

    def release(self, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Give back those of ``ids`` that are ours, as if they had never been taken."""
        values = self._mine(connection, ids)
        connection.execute(self._sql.give_back, values)
        connection.execute(self._sql.unlease, values)

    def next_change(self, connection: sqlite3.Connection, now: float) -> float | None:
        """When, on the wall clock, something falls due or a lease ends, or None."""
        second = connection.execute(self._sql.next_second, (self._queue, timestamp(now))).fetchone()
        fraction = connection.execute(
            self._sql.next_fraction, (self._queue, timestamp(now))
        ).fetchone()[0]
        oldest = connection.execute(self._sql.oldest_in_hand, (self._queue,)).fetchone()[0]
        times = [epoch(str(second[0]))] if second else []
        if fraction is not None and fraction > now:
            times.append(fraction)
        if oldest is not None:
            times.append(max(self._end(str(oldest)), self._next_return))
        return min(times, default=None)

    def stats(self, connection: sqlite3.Connection, now: float) -> Stats:
        """Count the queue. A lease that has ended counts as ready, whoever had it."""
        values = {"queue": self._queue, "now": timestamp(now), "time": now}
        ready = connection.execute(self._sql.ready, values).fetchone()[0]
        waiting = connection.execute(self._sql.waiting, (self._queue,)).fetchone()[0]
        delayed, held, abandoned = waiting - ready, 0, 0
        for delivered_at, count, *who in connection.execute(self._sql.in_hand, (self._queue,)):
            fate = self._holder.fate_of(who)
            if fate is not Fate.ALIVE and self._end(str(delivered_at)) <= now:
                ready += count
            elif fate is Fate.DEAD:
                abandoned += count
            else:
                held += count
        return Stats(ready, delayed, held, abandoned)

    def _return_ended(self, connection: sqlite3.Connection, now: float) -> None:
        """Give back what was held too long by anyone who is not seen alive.

        A worker that lives keeps its message however long the handler takes.
        """
        cutoff = timestamp(now - self._timeout)
        ended = connection.execute(self._sql.held_too_long, (self._queue, cutoff)).fetchall()
        back = [row[0] for row in ended if self._holder.fate_of(row[2:]) is not Fate.ALIVE]
        for message in back:
            logger.warning("the lease of message %s of queue %s has ended", message, self._queue)
        self._give_back(connection, back)
        oldest = connection.execute(self._sql.oldest_in_hand, (self._queue,)).fetchone()[0]
        ends = now + self._timeout if oldest is None else self._end(str(oldest))
        self._next_return = ends if ends > now else now + min(_LOOK_AGAIN, self._timeout)

    def _give_back(self, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        if ids:
            connection.execute(self._sql.give_back_listed, {"ids": json.dumps(ids)})

    def _write_down(
        self, connection: sqlite3.Connection, taken: Iterable[Taken], now: object
    ) -> None:
        values = {"owner": self._holder.registered(connection), "now": now}
        ids = json.dumps([row.id for row in taken])
        connection.execute(self._sql.lease, {**values, "ids": ids})

    def _mine(self, connection: sqlite3.Connection, ids: Sequence[int]) -> dict[str, object]:
        return {"ids": json.dumps(ids), "owner": self._holder.registered(connection)}

    def _end(self, delivered_at: str) -> float:
        return epoch(delivered_at) + self._timeout + _FRACTION


def sweep(connection: sqlite3.Connection, sql: Statements, holder: Holder) -> None:
    """Remove our rows beside messages that are gone, and dead holders of nothing."""
    for statement in sql.sweep:
        connection.execute(statement)
    for *who, number, inode in connection.execute(sql.idle_owners).fetchall():
        if holder.fate_of((*who, number, inode)) is Fate.DEAD:
            connection.execute(sql.remove_owner, (number,))
            connection.execute(sql.remove_lock, (number,))


def _rows(connection: sqlite3.Connection, statement: str, values: dict[str, object]) -> list[Taken]:
    """Run a claim; SQLite returns its rows in no particular order."""
    rows = [Taken(*row) for row in connection.execute(statement, values).fetchall()]
    return sorted(rows, key=lambda row: (str(row.available_at), row.id))
