# ruff: noqa: S608 - only the table's name is put in, and its transport has checked that
"""The one table, the tables of our own beside it, and every statement on them.

``messenger_messages`` is Symfony's, column for column: a PHP worker reads and writes
the same rows. What its seven columns have no place for lies in tables named after
it: who holds a message (``_leases``, ``_owners``, ``_locks``) and until which fraction of a second
it is delayed (``_delays``). A row there means nothing once its message is gone.

Times in Symfony's columns are UTC texts of whole seconds, ours are seconds since the
epoch. A lease counts only while its ``delivered_at`` is that of its message: if another
program has taken the message since, ours is over.

Source of the table: Symfony Messenger 7.4, ``Bridge/Doctrine/Transport/Connection``.
"""

from __future__ import annotations

import calendar
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

SYMFONY_INDEX: Final = "IDX_75EA56E0FB7336F0E3BD61CE16BA31DBBF396750"
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999: the column has no room for more
_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


def timestamp(seconds: float) -> str:
    """Write an epoch time as Symfony does: UTC, cut to the second."""
    return _written(int(min(seconds, _LAST_SECOND)))


@lru_cache(16)
def _written(second: int) -> str:
    return time.strftime(_FORMAT, time.gmtime(second))


def epoch(text: str) -> float:
    """Read such a text; what is no time counts as long ago."""
    try:
        return calendar.timegm(time.strptime(text[:19], _FORMAT))
    except ValueError:
        return 0.0


def schema(table: str) -> tuple[str, ...]:
    """Give the statements that create what is missing; a second run changes nothing.

    Two indexes are ours: Symfony's own makes a claim walk over all that was taken in
    the same second, and neither finds the leases that have ended.
    """
    return (
        f"""CREATE TABLE IF NOT EXISTS {table} (
            id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, body CLOB NOT NULL,
            headers CLOB NOT NULL, queue_name VARCHAR(190) NOT NULL,
            created_at DATETIME NOT NULL, available_at DATETIME NOT NULL,
            delivered_at DATETIME DEFAULT NULL)""",
        f"""CREATE INDEX IF NOT EXISTS {symfony_index(table)}
            ON {table} (queue_name, available_at, delivered_at, id)""",
        f"""CREATE INDEX IF NOT EXISTS {table}_ready
            ON {table} (queue_name, available_at, id) WHERE delivered_at IS NULL""",
        f"""CREATE INDEX IF NOT EXISTS {table}_in_hand
            ON {table} (queue_name, delivered_at) WHERE delivered_at IS NOT NULL""",
        f"""CREATE TABLE IF NOT EXISTS {table}_owners (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, host TEXT NOT NULL, boot TEXT NOT NULL,
            namespace TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL,
            UNIQUE (host, boot, namespace, pid, started, name))""",
        f"""CREATE TABLE IF NOT EXISTS {table}_locks (
            owner_id INTEGER PRIMARY KEY, inode INTEGER NOT NULL)""",
        f"""CREATE TABLE IF NOT EXISTS {table}_leases (
            message_id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL,
            delivered_at TEXT NOT NULL, attempts INTEGER NOT NULL)""",
        f"""CREATE TABLE IF NOT EXISTS {table}_delays (
            message_id INTEGER PRIMARY KEY, due_at REAL NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS messenger_flags (
            name TEXT PRIMARY KEY, value REAL NOT NULL)""",
    )


def symfony_index(table: str) -> str:
    """Name Symfony's index; the number in it is made from the table's usual name."""
    return SYMFONY_INDEX if table == "messenger_messages" else f"{table}_queue"


@dataclass(frozen=True, slots=True)
class Statements:
    """Every statement on one table, for SQLite. Lists of ids travel as one JSON text."""

    insert: str
    delay: str
    claim: str
    claim_listed: str
    lease: str
    ours: str
    forget: str
    unlease: str
    undelay: str
    give_back: str
    give_back_listed: str
    register: str
    owner_id: str
    lock: str
    queue_of: str
    held_by_name: str
    held_too_long: str
    oldest_in_hand: str
    next_second: str
    next_fraction: str
    ready: str
    waiting: str
    in_hand: str
    idle_owners: str
    remove_owner: str
    remove_lock: str
    sweep: tuple[str, ...]


def statements(table: str) -> Statements:
    """Write the statements for ``table``, whose name is trusted (checked by its transport)."""
    leases, owners, delays = f"{table}_leases", f"{table}_owners", f"{table}_delays"
    locks = f"{table}_locks"
    due = f"""m.queue_name = :queue AND m.delivered_at IS NULL AND m.available_at <= :now
        AND NOT EXISTS (SELECT 1 FROM {delays} d WHERE d.message_id = m.id AND d.due_at > :time)"""
    holder = f"""{table} m LEFT JOIN {leases} l
        ON l.message_id = m.id AND l.delivered_at = m.delivered_at
        LEFT JOIN {owners} o ON o.id = l.owner_id LEFT JOIN {locks} k ON k.owner_id = o.id"""
    who = "o.name, o.host, o.boot, o.namespace, o.pid, o.started, o.id, k.inode"
    listed = "(SELECT value FROM json_each(:ids))"
    mine = f"""(SELECT l.message_id FROM json_each(:ids) j JOIN {leases} l
        ON l.message_id = j.value JOIN {table} m
        ON m.id = l.message_id AND m.delivered_at = l.delivered_at WHERE l.owner_id = :owner)"""
    taken = "RETURNING id, body, headers, available_at"
    return Statements(
        insert=f"""INSERT INTO {table} (body, headers, queue_name, created_at, available_at)
            VALUES (?, ?, ?, ?, ?)""",
        delay=f"INSERT OR REPLACE INTO {delays} (message_id, due_at) VALUES (?, ?)",
        claim=f"""UPDATE {table} SET delivered_at = :now WHERE id IN (SELECT m.id FROM {table} m
            WHERE {due} ORDER BY m.available_at, m.id LIMIT :limit) {taken}""",
        claim_listed=f"""UPDATE {table} SET delivered_at = :now
            WHERE id IN {listed} AND delivered_at IS NULL {taken}""",
        lease=f"""INSERT INTO {leases} SELECT value, :owner, :now, 1 FROM json_each(:ids) WHERE true
            ON CONFLICT (message_id) DO UPDATE SET owner_id = excluded.owner_id,
            delivered_at = excluded.delivered_at, attempts = attempts + 1""",
        ours=f"SELECT 1 WHERE :id IN {mine}",
        forget=f"DELETE FROM {table} WHERE id IN {mine}",
        unlease=f"DELETE FROM {leases} WHERE message_id IN {listed} AND owner_id = :owner",
        undelay=f"DELETE FROM {delays} WHERE message_id IN {listed}",
        give_back=f"UPDATE {table} SET delivered_at = NULL WHERE id IN {mine}",
        give_back_listed=f"UPDATE {table} SET delivered_at = NULL WHERE id IN {listed}",
        register=f"""INSERT INTO {owners} (name, host, boot, namespace, pid, started)
            VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        owner_id=f"""SELECT id FROM {owners} WHERE name = ? AND host = ? AND boot = ?
            AND namespace = ? AND pid = ? AND started = ?""",
        queue_of=f"SELECT queue_name FROM {table} WHERE id = ?",
        lock=f"INSERT OR REPLACE INTO {locks} (owner_id, inode) VALUES (?, ?)",
        held_by_name=f"""SELECT m.id, l.attempts, {who} FROM {holder} WHERE m.queue_name = ?
            AND m.delivered_at IS NOT NULL AND o.name = ? ORDER BY m.available_at, m.id""",
        held_too_long=f"""SELECT m.id, l.attempts, {who} FROM {holder}
            WHERE m.queue_name = ? AND m.delivered_at < ?""",
        oldest_in_hand=f"""SELECT MIN(delivered_at) FROM {table}
            WHERE queue_name = ? AND delivered_at IS NOT NULL""",
        next_second=f"""SELECT available_at FROM {table} WHERE queue_name = ?
            AND delivered_at IS NULL AND available_at > ? ORDER BY available_at LIMIT 1""",
        next_fraction=f"""SELECT MIN(d.due_at) FROM {table} m JOIN {delays} d ON d.message_id = m.id
            WHERE m.queue_name = ? AND m.delivered_at IS NULL AND m.available_at = ?""",
        ready=f"SELECT COUNT(*) FROM {table} m WHERE {due}",
        waiting=f"SELECT COUNT(*) FROM {table} WHERE queue_name = ? AND delivered_at IS NULL",
        in_hand=f"""SELECT m.delivered_at, COUNT(*), {who} FROM {holder}
            WHERE m.queue_name = ? AND m.delivered_at IS NOT NULL GROUP BY m.delivered_at, o.id""",
        idle_owners=f"""SELECT {who} FROM {owners} o LEFT JOIN {locks} k ON k.owner_id = o.id
            WHERE o.id NOT IN (SELECT owner_id FROM {leases})""",
        remove_owner=f"DELETE FROM {owners} WHERE id = ?",
        remove_lock=f"DELETE FROM {locks} WHERE owner_id = ?",
        sweep=(
            f"DELETE FROM {leases} WHERE message_id NOT IN (SELECT id FROM {table})",
            f"DELETE FROM {delays} WHERE message_id NOT IN (SELECT id FROM {table})",
        ),
    )
