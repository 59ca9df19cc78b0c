"""One daemon a pid file, and a pid file that nobody holds stops nobody."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from supervise.errors import ServerError
from supervise.unix.pidfile import PidFile


def test_it_is_there_while_it_is_held_and_gone_after(tmp_path: Path) -> None:
    path = tmp_path / "a/b/pid"
    file = PidFile(str(path))
    file.lock()
    file.write(4711)

    assert path.read_text() == "4711\n"
    file.close()
    file.close()
    assert not path.exists()


def test_the_second_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = PidFile(str(tmp_path / "pid")), PidFile(str(tmp_path / "pid"))
    first.lock()
    first.write(4711)

    with pytest.raises(ServerError, match=r"already running with pidfile .*/pid \(pid 4711\)"):
        second.lock()

    assert (tmp_path / "pid").read_text() == "4711\n"
    first.close()
    second.lock()
    second.close()


def test_what_a_crash_left_is_taken_over_and_its_text_replaced(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text("123456789 and more\n")
    file = PidFile(str(tmp_path / "pid"))

    file.lock()
    file.write(os.getpid())

    assert (tmp_path / "pid").read_text() == f"{os.getpid()}\n"
    file.close()


def test_somebody_elses_new_file_of_the_name_is_left_alone(tmp_path: Path) -> None:
    file = PidFile(str(tmp_path / "pid"))
    file.lock()
    (tmp_path / "pid").unlink()
    (tmp_path / "pid").write_text("theirs")

    file.close()

    assert (tmp_path / "pid").read_text() == "theirs"


def test_a_path_that_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=f"cannot open pidfile {tmp_path}: Is a directory"):
        PidFile(str(tmp_path)).lock()


def test_a_directory_that_it_makes_is_never_writable_for_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = PidFile(str(tmp_path / "a/b/pid"))
        file.lock()
        file.close()
    finally:
        os.umask(before)

    assert [stat.S_IMODE((tmp_path / made).stat().st_mode) for made in ("a", "a/b")] == [0o755] * 2
