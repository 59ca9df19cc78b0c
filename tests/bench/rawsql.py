"""What sqlite3 does by itself on a table like Symfony's: the floor under the queue figures."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

_TABLE = """
    CREATE TABLE m (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT, headers TEXT, queue TEXT,
                    created_at TEXT, available_at TEXT, delivered_at TEXT)"""
_INDEX = "CREATE INDEX ready ON m (queue, available_at, id) WHERE delivered_at IS NULL"
_INSERT = "INSERT INTO m (body, headers, queue, created_at, available_at) VALUES (?, ?, ?, ?, ?)"
_CLAIM = """
    UPDATE m SET delivered_at = ? WHERE id IN (
        SELECT id FROM m WHERE queue = 'q' AND delivered_at IS NULL AND available_at <= ?
        ORDER BY available_at, id LIMIT ?)
    RETURNING id, body, headers"""
_ROW = ("x" * 100, '{"type": "noop"}', "q", "2020-01-01 00:00:00", "2020-01-01 00:00:00")
_NOW = "2030-01-01 00:00:00"


def insert_rate(path: Path, count: int, synchronous: str, patience: float) -> float:
    """Give the rows a second of INSERTs with one commit each, in at most ``patience`` seconds."""
    with closing(_opened(path, synchronous)) as base:
        start = time.monotonic()
        done = 0
        while done < count and time.monotonic() < start + patience:
            base.execute(_INSERT, _ROW)
            done += 1
        return done / (time.monotonic() - start)


def claim_rate(path: Path, count: int, *, batch: int, patience: float) -> float:
    """Give the rows a second of claims and deletes, two commits a batch, synchronous=FULL."""
    with closing(_opened(path, "FULL")) as base:
        base.execute("BEGIN")
        base.executemany(_INSERT, [_ROW] * count)
        base.execute("COMMIT")
        done = 0
        start = time.monotonic()
        while done < count and time.monotonic() < start + patience:
            rows = base.execute(_CLAIM, (_NOW, _NOW, batch)).fetchall()
            base.execute("BEGIN IMMEDIATE")
            base.executemany("DELETE FROM m WHERE id = ?", [(row[0],) for row in rows])
            base.execute("COMMIT")
            done += len(rows)
        return done / (time.monotonic() - start)


def _opened(path: Path, synchronous: str) -> sqlite3.Connection:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute(f"PRAGMA synchronous={synchronous}")
    base.execute(_TABLE)
    base.execute(_INDEX)
    return base
