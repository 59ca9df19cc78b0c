"""The application's own database and files, as an example has them: a photo table, a folder.

Where they lie is `$APP_VAR`, or `var` in the directory the worker was started in.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS photo (
    id INTEGER PRIMARY KEY, filename TEXT NOT NULL, ponka_added_at TEXT
)
"""


@dataclass(frozen=True, slots=True)
class Photo:
    """One row; ``ponka_added_at`` is None until a worker has been there."""

    id: int
    filename: str
    ponka_added_at: str | None

    @property
    def path(self) -> Path:
        return photo_path(self.filename)


def files() -> Path:
    """Give the directory of the application's files."""
    return Path(os.environ.get("APP_VAR", "var"))


def photo_path(filename: str) -> Path:
    """Give the place of a photo.

    Raises:
        ValueError: the name leads out of the folder; messages may come from anywhere.
    """
    if Path(filename).name != filename or filename in ("", ".."):
        raise ValueError(f"{filename!r} is not the bare name of a photo")
    return files() / "photos" / filename


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """Give the application's database for one transaction."""
    path = files() / "app.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute(SCHEMA)
        with connection:
            yield connection
    finally:
        connection.close()


def add_photo(filename: str) -> Photo:
    """Insert a row for a photo that lies in the folder already."""
    with database() as connection:
        cursor = connection.execute("INSERT INTO photo (filename) VALUES (?)", (filename,))
        assert cursor.lastrowid is not None
        return Photo(cursor.lastrowid, filename, None)


def find_photo(image_id: int) -> Photo | None:
    """Give the photo of that id, as it is now and not as it was at dispatch."""
    with database() as connection:
        query = "SELECT id, filename, ponka_added_at FROM photo WHERE id = ?"
        row = connection.execute(query, (image_id,)).fetchone()
    return None if row is None else Photo(*row)


def mark_ponka_added(image_id: int) -> None:
    """Note that the picture is done, with the time in UTC."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with database() as connection:
        connection.execute("UPDATE photo SET ponka_added_at = ? WHERE id = ?", (now, image_id))
