"""Names of AUTO child logs, and the clearing away of those an earlier daemon left.

Source of the pattern: Supervisor 4.3, ``supervisor/options.py`` (clear_autochildlogdir).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection
from pathlib import Path

_ALPHABET = "abcdefghijklmnopqrstuvwxyz012345"  # 32 letters: a byte picks each with the same luck


def name(directory: str, process: str, channel: str, identifier: str) -> str:
    """Make up the path of a log; the file comes with its first byte, and must be new then."""
    letters = "".join(_ALPHABET[byte % 32] for byte in os.urandom(8))
    return f"{directory}/{process}-{channel}---{identifier}-{letters}.log"


def clean(directory: str, identifier: str, keep: Collection[str] = ()) -> list[str]:
    """Remove AUTO logs and their backups, except paths in ``keep``; what could not be, as texts.

    A directory that is not there has nothing to remove.
    """
    pattern = re.compile(rf".+?---{re.escape(identifier)}-\S+\.log\.{{0,1}}\d{{0,4}}")
    problems = []
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if pattern.fullmatch(entry.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"cannot look for old logs in {directory}: {error.strerror}"]
    for name in names:
        path = f"{directory}/{name}"
        try:
            if path not in keep and stat.S_ISREG(os.lstat(path).st_mode):
                Path(path).unlink(missing_ok=True)
        except FileNotFoundError:
            continue  # somebody else was faster
        except OSError as error:
            problems.append(f"cannot remove the old log {path}: {error.strerror}")
    return problems
