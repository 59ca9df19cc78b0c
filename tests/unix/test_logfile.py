"""A rotating log file keeps every byte once, whatever happens to its name and its disk."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from supervise.unix.logfile import LogFile, tail

SPLICES = pytest.mark.skipif(not hasattr(os, "splice"), reason="this system has no splice")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError as error:
            assert error.errno == errno.EBADF  # noqa: PT017 - the test closed it


def everything(path: Path) -> bytes:
    """All that was ever logged: the oldest backup first."""
    backups = sorted(path.parent.glob(f"{path.name}.*"), key=lambda each: -int(each.suffix[1:]))
    return b"".join(each.read_bytes() for each in [*backups, path] if each.exists())


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 400), max_size=30),
    maxbytes=st.integers(0, 300),
    by_splice=st.booleans(),
)
def test_any_chunks_through_any_rotation_come_out_once_and_in_order(
    sizes: list[int], maxbytes: int, *, by_splice: bool
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "x.log")
        log = LogFile(str(path), maxbytes, backups=100)
        read, write = os.pipe()
        sent = b""
        for number, size in enumerate(sizes):
            chunk = bytes([number % 251]) * size
            sent += chunk
            if by_splice and hasattr(os, "splice"):
                os.write(write, chunk)
                assert log.splice_from(read) == size
            else:
                assert log.write(chunk) == size
        log.close()
        os.close(read)
        os.close(write)

        assert everything(path) == sent if sizes else not path.exists()
        assert log.complaint is None


def test_a_file_that_has_reached_its_size_is_moved_and_the_oldest_backup_forgotten(
    tmp_path: Path,
) -> None:
    log = LogFile(str(tmp_path / "x.log"), maxbytes=3, backups=2)

    for chunk in (b"111", b"222", b"333", b"4444", b"5"):
        log.write(chunk)

    contents = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert contents == {"x.log": b"5", "x.log.1": b"4444", "x.log.2": b"333"}


def test_without_backups_a_full_file_begins_again(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "x.log"), maxbytes=3, backups=0)

    log.write(b"1234")
    log.write(b"5")

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"5"]


def test_a_rotation_that_fails_is_told_once_and_the_file_grows_on(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    (tmp_path / "x.log.1").mkdir()  # nothing can be renamed to this
    log = LogFile(str(path), maxbytes=4, backups=1)

    log.write(b"1234")
    told, log.complaint = log.complaint, None
    log.write(b"56")

    assert told is not None
    assert str(path) in told
    assert log.complaint is None
    assert path.read_bytes() == b"123456"


@SPLICES
def test_a_file_truncated_by_somebody_else_gets_no_hole(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    path = tmp_path / "x.log"
    log = LogFile(str(path), 0, 0)
    os.write(pipe[1], b"before")
    log.splice_from(pipe[0])

    os.truncate(path, 0)
    os.write(pipe[1], b"after")
    log.splice_from(pipe[0])

    assert path.read_bytes() == b"after"


@SPLICES
def test_two_writers_of_one_file_overwrite_nothing(tmp_path: Path, pipe: tuple[int, int]) -> None:
    path = tmp_path / "x.log"
    first, second = LogFile(str(path), 0, 0), LogFile(str(path), 0, 0)

    for number in range(6):
        os.write(pipe[1], b"%d" % number)
        (first if number % 2 else second).splice_from(pipe[0])

    assert path.read_bytes() == b"012345"


@SPLICES
def test_an_empty_pipe_and_an_ended_one_are_told_apart(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    log = LogFile(str(tmp_path / "x.log"), 0, 0)

    with pytest.raises(BlockingIOError):
        log.splice_from(pipe[0])
    os.close(pipe[1])

    assert log.splice_from(pipe[0]) == 0


def test_after_somebody_moved_the_file_reopen_goes_on_under_the_name(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    log = LogFile(str(path), 0, 0)
    log.write(b"old")
    path.rename(tmp_path / "moved")
    log.write(b" still old")

    log.reopen()
    log.write(b"new")

    assert (tmp_path / "moved").read_bytes() == b"old still old"
    assert path.read_bytes() == b"new"


def test_clear_empties_the_file_and_keeps_its_backups(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "x.log"), maxbytes=3, backups=1)
    log.write(b"1234")
    log.write(b"5")

    log.clear()
    log.write(b"6")

    assert (tmp_path / "x.log").read_bytes() == b"6"
    assert (tmp_path / "x.log.1").read_bytes() == b"1234"


def test_a_missing_directory_is_made_and_is_not_writable_for_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        LogFile(str(tmp_path / "a" / "b" / "x.log"), 0, 0).create()
    finally:
        os.umask(before)

    assert (tmp_path / "a" / "b" / "x.log").exists()
    for directory in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o755


def test_a_log_that_is_silent_keeps_no_descriptor(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    logs = [LogFile(str(tmp_path / f"{number}.log"), 0, 0) for number in range(20)]
    for log in logs:
        log.create()

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert len(list(tmp_path.iterdir())) == 20


def test_a_log_that_is_a_directory_says_so_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        LogFile(str(tmp_path), 0, 0).create()

    assert caught.value.filename == str(tmp_path)


def test_a_log_that_is_a_loop_of_links_says_so_with_its_path(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    with pytest.raises(OSError, match="symbolic links") as caught:
        LogFile(str(loop), 0, 0).create()

    assert caught.value.filename == str(loop)


@pytest.mark.parametrize(
    ("nbytes", "expected"), [(0, b""), (3, b"def"), (6, b"abcdef"), (99, b"abcdef")]
)
def test_tail_gives_the_last_bytes(tmp_path: Path, nbytes: int, expected: bytes) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")

    assert tail(str(tmp_path / "x"), nbytes) == expected
