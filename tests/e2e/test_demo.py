"""``make demo`` without make: the whole story, told by itself, and nothing is left of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.children import marked
from tests.support.programs import environ


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A directory with a short name: a socket has to fit below it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_the_demo_tells_its_story_and_leaves_nothing_behind(
    tmp_path: Path, temporary: Path
) -> None:
    mark = f"DEMO_UNDER_TEST={temporary.name}"
    name, _, value = mark.partition("=")

    done = subprocess.run(
        [sys.executable, "-m", "workers.consumers.demo"],
        check=False,
        cwd=tmp_path,
        env=environ(**{name: value, "TMPDIR": str(temporary)}),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "24 of 24 photos have Ponka in them, 200 of 200 texts are in the outbox" in said
    assert "the deleted photo's file is gone" in said
    assert "has taken its place" in said
    assert "Traceback" not in done.stderr
    assert marked(mark) == set()
    assert list(temporary.iterdir()) == []
