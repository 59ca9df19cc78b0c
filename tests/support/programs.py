"""The installed programs, run as a shell would: argv in, stdout, stderr and exit status out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.children import DEADLINE

Done = subprocess.CompletedProcess[str]
_OURS = ("SUPERVISOR_", "MESSENGER_")  # what the surroundings of the tests must not decide


def program(name: str) -> str:
    """Give the path of a console script that was installed beside this interpreter."""
    return str(Path(sys.executable).with_name(name))


def environ(**changes: str) -> dict[str, str]:
    """Give the environment of a user who has set nothing of ours, with ``changes``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, **changes}


def run(
    *argv: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = False,
) -> Done:
    """Run a program of ours to its end; ``check`` when anything but success ends the test."""
    done = subprocess.run(
        [program(argv[0]), *argv[1:]],
        check=False,
        cwd=cwd,
        env=environ() if env is None else env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done
