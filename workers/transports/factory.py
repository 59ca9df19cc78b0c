"""Makes a transport from its DSN. A driver is imported only if a DSN asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workers.envelope import Envelope
from workers.errors import ConfigError, did_you_mean
from workers.serializer import Serializer
from workers.transports import dsn as dsns, memory, sync
from workers.transports.base import Transport
from workers.transports.dsn import Dsn

SCHEMES = ("in-memory", "sqlite", "sync")


def create(
    name: str,
    dsn: Dsn,
    serializer: Serializer,
    dispatch: Callable[[Envelope], Envelope],
    root: Path,
) -> Transport:
    """Make the transport ``name``; its store is opened at its own first use.

    ``dispatch`` is what ``sync://`` hands its messages to; relative files start from ``root``.

    Raises:
        ConfigError: an unknown scheme, an unknown option, or a value that cannot be.
    """
    match dsn.scheme:
        case "sync":
            dsns.check_options(name, dsn, sync.OPTIONS)
            return sync.SyncTransport(name, dispatch)
        case "in-memory":
            dsns.check_options(name, dsn, memory.OPTIONS)
            wanted = dsns.flag(name, dsn, "serialize")
            return memory.MemoryTransport(name, serializer if wanted else None)
        case "sqlite":
            from workers.transports import sqlite  # noqa: PLC0415 - see the head of this file

            dsns.check_options(name, dsn, sqlite.OPTIONS)
            path = dsns.file_of(name, dsn, root)
            return sqlite.SqliteTransport(name, path, serializer, dsn.options)
        case scheme:
            hint = did_you_mean(scheme, SCHEMES)
            listed = ", ".join(f"{one}://" for one in SCHEMES)
            raise ConfigError(
                [f'transport "{name}": no transport for "{scheme}://"{hint} (there are {listed})']
            )
