"""The programs we measure ourselves against, in a virtual environment of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PINNED = ("supervisor==4.3.0", "huey==3.5.4", "setuptools")


def scripts(cache: Path) -> Path | None:
    """Give the directory with their console scripts, installing them if need be.

    Without a network there are none: that is said, and only we are measured.
    """
    found = cache / "venv" / "bin"
    if (found / "supervisord").exists() and (found / "huey_consumer").exists():
        return found
    _say(f"installing {', '.join(PINNED)} into {cache / 'venv'}")
    try:
        _run(sys.executable, "-m", "venv", str(cache / "venv"))
        _run(str(found / "python"), "-m", "pip", "install", "--quiet", *PINNED)
    except subprocess.CalledProcessError as error:
        _say(f"there is nothing to compare with: {error.stderr.decode(errors='replace').strip()}")
        return None
    return found


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
