"""Creates in an SQLite file what the queue needs and is not there."""

from __future__ import annotations

import sqlite3

from workers.transports.sql import schema

_PRESENT = "SELECT name FROM sqlite_master WHERE type IN ('table', 'index')"


def missing_from(connection: sqlite3.Connection, table: str) -> list[str]:
    """Name the tables and indexes that are not there; a table of Symfony's has all but ours."""
    present = {name for (name,) in connection.execute(_PRESENT)}
    return [name for name in map(_creates, schema(table)) if name not in present]


def create(connection: sqlite3.Connection, table: str) -> None:
    """Create what is missing, all of it or nothing; a second time changes nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in schema(table):
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _creates(statement: str) -> str:
    """Name what a CREATE ... IF NOT EXISTS statement creates."""
    return statement.partition("IF NOT EXISTS ")[2].split()[0]
