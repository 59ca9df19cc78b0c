"""The house rules that a machine can check: format, lint, types, floors, size."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("supervise", "workers")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST = 400  # lines of a module


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("house")
@pytest.mark.parametrize(
    "line",
    [
        "ruff format --check supervise workers tests",
        "ruff check supervise workers tests",
        "mypy",
        "lint-imports",
    ],
)
def test_the_tools_have_nothing_to_say(line: str) -> None:
    tool, *words = line.split()
    path = Path(sys.executable).with_name(tool)
    assert path.exists(), "install the extra named dev"

    done = subprocess.run(
        [path, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for_and_fits_into_a_head(path: Path) -> None:
    text = path.read_text()

    assert ast.get_docstring(ast.parse(text)), "a module begins with what it does"
    assert len(text.splitlines()) < LONGEST
