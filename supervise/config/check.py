"""``superctl check``: what is wrong with a configuration, for people, without a daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from supervise.config.hints import hints
from supervise.config.outcome import read
from supervise.locate import find, search_paths


def check(
    path: str | None, *, cwd: str | None = None, environ: Mapping[str, str] | None = None
) -> int:
    """Print problems, warnings and hints of ``path``; give 0, 1 with problems, 2 without a file."""
    cwd = os.getcwd() if cwd is None else cwd
    path = path or find(None, sys.argv[0], cwd)
    if path is None:
        looked = ", ".join(search_paths(sys.argv[0], cwd))
        print(f"Error: No config file found at default paths ({looked})", file=sys.stderr)
        return 2
    path = path.removeprefix(cwd.rstrip("/") + "/")
    environ = os.environ if environ is None else environ
    outcome = read(path, environ=environ, cwd=cwd)
    problems = [*outcome.findings.first_problems(), *outcome.client_problems]
    warnings = [each for each in outcome.findings.warnings if each not in outcome.client_problems]
    for line in problems:
        print(f"{line}")
    for line in warnings:
        print(f"warning: {line}")
    if outcome.plan is not None:
        for line in hints(outcome.plan, outcome.sections, environ, os.getuid()):
            print(f"hint: {line}")
    if problems:
        return 1
    assert outcome.plan is not None
    groups = outcome.plan.groups
    processes = _count(sum(len(group.processes) for group in groups), "process", "processes")
    print(f"{path}: ok, {processes} in {_count(len(groups), 'group', 'groups')}")
    return 0


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
