"""The daemon's own log: its format, and that nothing it meets raises, blocks or floods."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from supervise.clock import SystemClock
from supervise.daemon.log import BACKLOG_BYTES, LEVELS, Level, Log
from supervise.errors import ServerError


class Stopped:
    """A clock that stands still."""

    def __init__(self, now: float) -> None:
        self.now = now

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log(SystemClock())
    yield made
    made.close()
    made.close()


@pytest.fixture
def stdout() -> Iterator[tuple[int, str]]:
    """A pipe, as the read end and the path of the other."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    yield read, f"/dev/fd/{write}"
    os.close(write)
    os.close(read)


def test_a_line_is_local_time_level_and_message(tmp_path: Path) -> None:
    moment = 1_700_000_000.0625
    log = Log(Stopped(moment))
    log.open(str(tmp_path / "d.log"))

    log.info("spawned: 'x' with pid 7")
    log.close()

    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
    expected = f"{stamp},062 INFO spawned: 'x' with pid 7\n"
    assert (tmp_path / "d.log").read_text() == expected


@pytest.mark.parametrize(("word", "level"), LEVELS.items())
def test_a_level_lets_through_itself_and_what_matters_more(
    tmp_path: Path, log: Log, word: str, level: Level
) -> None:
    log.open(str(tmp_path / "d.log"), level=LEVELS[word])

    for each in Level:
        log.emit(each, "x")

    tags = [line.split()[2] for line in (tmp_path / "d.log").read_text().splitlines()]
    assert tags == [each.name for each in Level if each >= level]


def test_each_method_has_its_tag(tmp_path: Path, log: Log) -> None:
    log.open(str(tmp_path / "d.log"), level=Level.BLAT)

    for method in (log.critical, log.error, log.warn, log.info, log.debug):
        method("x")

    tags = [line.split()[2] for line in (tmp_path / "d.log").read_text().splitlines()]
    assert tags == ["CRIT", "ERRO", "WARN", "INFO", "DEBG"]


def test_what_is_said_before_the_log_is_open_comes_first_with_its_own_time(tmp_path: Path) -> None:
    clock = Stopped(1000.0)
    log = Log(clock)
    log.info("early")
    log.debug("early detail")
    clock.now = 2000.0

    log.open(str(tmp_path / "d.log"))
    log.info("late")
    log.close()

    lines = (tmp_path / "d.log").read_text().splitlines()
    assert [line.split(" ", 3)[3] for line in lines] == ["early", "late"]
    assert lines[0].split()[1] != lines[1].split()[1]


@given(text=st.text())
def test_whatever_is_said_is_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("log") / "d.log"
    log = Log(SystemClock())
    log.open(str(path))

    log.info(text)
    log.close()

    written = path.read_bytes().decode()
    assert len(written.splitlines()) == 1
    assert written.endswith("\n")
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", written[:-1])


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("two\nlines", r"two\nlines"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("tab\tö \ud800", "tab\tö \\ud800"),
    ],
)
def test_control_characters_are_written_as_escapes(
    tmp_path: Path, log: Log, said: str, written: str
) -> None:
    log.open(str(tmp_path / "d.log"))

    log.info(said)

    assert (tmp_path / "d.log").read_text().endswith(f"INFO {written}\n")


def test_it_rotates_by_size(tmp_path: Path, log: Log) -> None:
    log.open(str(tmp_path / "d.log"), maxbytes=30, backups=1)

    for number in range(3):
        text = f"line {number}"
        log.info(text)

    assert "line 2" in (tmp_path / "d.log.1").read_text()


def test_the_foreground_echoes_to_standard_output(
    tmp_path: Path, log: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    log.open(str(tmp_path / "d.log"), echo=True)

    log.info("seen twice")

    assert capfd.readouterr().out == (tmp_path / "d.log").read_text()


def test_a_log_that_is_standard_output_is_not_echoed_to_it(
    log: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    log.open("/dev/stdout", echo=True)

    log.info("once")

    assert capfd.readouterr().out.count("once") == 1
    assert log.path is None
    assert log.tail(10) == b""


def test_a_log_that_cannot_be_opened_is_an_error_that_names_it(tmp_path: Path, log: Log) -> None:
    with pytest.raises(ServerError, match=re.escape(str(tmp_path))):
        log.open(str(tmp_path))


def test_reopen_goes_on_under_the_name(tmp_path: Path, log: Log) -> None:
    path = tmp_path / "d.log"
    log.open(str(path))
    log.info("old")
    path.rename(tmp_path / "moved")

    log.reopen()
    log.info("new")

    assert path.read_text().endswith("INFO new\n")
    assert path.read_text().count("\n") == 1


def test_tail_and_clear(tmp_path: Path, log: Log) -> None:
    told: list[None] = []
    log.open(str(tmp_path / "d.log"))
    log.followers = (lambda: told.append(None),)
    log.info("the end")

    assert log.tail(8) == b"the end\n"
    log.clear()
    assert log.tail(8) == b""
    assert len(told) == 2


def test_a_reader_that_is_slow_gets_all_that_fits_and_the_count_of_the_rest(
    log: Log, stdout: tuple[int, str]
) -> None:
    read, path = stdout
    log.open(path)
    line = "x" * 970

    for number in range(400):
        text = f"{number:06d} {line}"
        log.info(text)
    received = b""
    while not log.flush():
        received += os.read(read, 1 << 20)
    log.info("after")
    received += os.read(read, 1 << 20)

    numbers = [int(found) for found in re.findall(rb"INFO (\d{6})", received)]
    lost = re.search(rb"\((\d+) lines were lost here", received)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > BACKLOG_BYTES // 1000
    assert lost is not None
    assert int(lost[1]) == 400 - len(numbers)
    assert received.endswith(b"INFO after\n")


def test_a_reader_that_went_away_is_no_reason_to_stop(stdout: tuple[int, str], log: Log) -> None:
    read, write = os.pipe()
    log.open(f"/dev/fd/{write}")
    os.close(read)

    for _ in range(1000):
        log.info("x" * 1000)

    assert not log.flush()
    os.close(write)
    log.open(stdout[1])
    log.info("here again")
    assert os.read(stdout[0], 100).endswith(b"here again\n")


def test_a_full_disk_loses_lines_and_says_how_many(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    log = Log(SystemClock())
    line = "x" * 970
    try:
        (tmp_path / "ballast").write_bytes(b"x" * 8192)
        log.open(str(tmp_path / "d.log"), maxbytes=1 << 20, backups=1)
        for number in range(120):
            text = f"{number:03d} {line}"
            log.info(text)
        subprocess.run(["mount", "-o", "remount,size=1m", str(tmp_path)], check=True)  # noqa: S607
        log.info("room")

        text = (tmp_path / "d.log").read_text()
        numbers = [int(found) for found in re.findall(r"INFO (\d{3})", text)]
        lost = re.search(r"\((\d+) lines were lost here", text)
        assert lost is not None
        assert numbers == list(range(120 - int(lost[1])))
        assert text.endswith("INFO room\n")
    finally:
        log.close()
        subprocess.run(["umount", str(tmp_path)], check=True)  # noqa: S607
