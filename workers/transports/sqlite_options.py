"""What a ``sqlite://`` DSN can say behind its question mark, checked and with defaults.

Source of names and defaults: Symfony Messenger 7.2, the options of ``doctrine://``;
``synchronous`` and ``busy_timeout`` are SQLite's own pragmas.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from workers.errors import ConfigError

OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "table_name": "messenger_messages",
        "queue_name": "default",
        "redeliver_timeout": "3600",
        "auto_setup": "true",
        "synchronous": "full",
        "busy_timeout": "5",
    }
)
_TABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_LONGEST: Final = 86_400  # seconds that SQLite is asked to wait at most


@dataclass(frozen=True, slots=True)
class SqliteOptions:
    """Times in seconds. ``synchronous`` is a word that SQLite knows."""

    table_name: str
    queue_name: str
    redeliver_timeout: float
    auto_setup: bool
    synchronous: str
    busy_timeout: float

    @classmethod
    def read(cls, transport: str, options: Mapping[str, str]) -> SqliteOptions:
        """Check ``options`` of the transport of this name; what is not said has its default.

        Raises:
            ConfigError: with one line for each value that cannot be used.
        """
        said = {**OPTIONS, **options}
        problems: list[str] = []

        def check(option: str, right: str, *, good: bool) -> None:
            if not good:
                problems.append(
                    f'transport "{transport}": {option} is "{said[option]}"; it should be {right}'
                )

        table, queue = said["table_name"], said["queue_name"]
        timeout, busy = _seconds(said["redeliver_timeout"]), _seconds(said["busy_timeout"])
        setup, level = said["auto_setup"].lower(), said["synchronous"].lower()
        check("table_name", "letters, digits and _", good=bool(_TABLE.fullmatch(table)))
        check("queue_name", "1 to 190 characters", good=0 < len(queue) <= 190)  # noqa: PLR2004 - the column's width
        check("redeliver_timeout", "seconds above 0", good=timeout > 0)
        check("busy_timeout", f"seconds from 0 to {_LONGEST}", good=0 <= busy <= _LONGEST)
        check("auto_setup", "true or false", good=setup in _YES | _NO)
        check("synchronous", "normal, full or off", good=level in {"normal", "full", "off"})
        if problems:
            raise ConfigError(problems)
        return cls(table, queue, timeout, setup in _YES, level, busy)


_YES: Final = frozenset({"true", "1", "yes", "on"})
_NO: Final = frozenset({"false", "0", "no", "off", ""})


def _seconds(text: str) -> float:
    """Read a finite number of seconds; what is none becomes -1."""
    try:
        value = float(text)
    except ValueError:
        return -1.0
    return value if math.isfinite(value) else -1.0
