"""AUTO logs: nobody else's name, nobody else's eyes, and no litter."""

from __future__ import annotations

import re
from pathlib import Path

from supervise.unix import autolog


def test_a_name_is_upstreams(tmp_path: Path) -> None:
    path = Path(autolog.name(str(tmp_path / "logs"), "web_00", "stdout", "supervisor"))

    assert path.parent == tmp_path / "logs"
    assert re.fullmatch(r"web_00-stdout---supervisor-\w{8}\.log", path.name)


def test_no_two_names_are_the_same(tmp_path: Path) -> None:
    names = {autolog.name(str(tmp_path), "x", "stderr", "s") for _ in range(200)}

    assert len(names) == 200


def _made(directory: Path, process: str, identifier: str) -> str:
    path = autolog.name(str(directory), process, "stdout", identifier)
    Path(path).touch()
    return path


def test_cleaning_takes_old_logs_with_their_backups_and_nothing_else(tmp_path: Path) -> None:
    old = _made(tmp_path, "x", "super.visor")
    kept = _made(tmp_path, "y", "super.visor")
    others = _made(tmp_path, "x", "superxvisor")
    for name in (f"{old}.1", f"{old}.10", f"{tmp_path}/---super.visor-a.log", f"{old}.gz"):
        Path(name).touch()
    (tmp_path / "d-stdout---super.visor-abcdefgh.log").mkdir()

    problems = autolog.clean(str(tmp_path), "super.visor", keep={kept})

    assert problems == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [
            Path(kept).name,
            Path(others).name,
            "---super.visor-a.log",
            Path(f"{old}.gz").name,
            "d-stdout---super.visor-abcdefgh.log",
        ]
    )


def test_a_directory_that_is_not_there_is_clean(tmp_path: Path) -> None:
    assert autolog.clean(str(tmp_path / "none"), "supervisor") == []


def test_a_directory_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    (problem,) = autolog.clean(str(tmp_path / "file"), "supervisor")

    assert str(tmp_path / "file") in problem
