"""What a child writes reaches its log once, and a bad log hurts nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from supervise.core.spec import OutputSpec
from supervise.daemon import output as output_module, trouble
from supervise.daemon.capture import Capture
from supervise.daemon.log import Level
from supervise.daemon.output import Output
from supervise.unix.logfile import LogFile
from tests.support.heard import Grown, Heard

LINES = b"".join(b"line %06d\n" % number for number in range(40_000))  # several pipes full


class Bench:
    """One capture with its outputs and the writing ends of their pipes."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.grown = Grown()
        self.capture = Capture(asyncio.get_running_loop(), self.heard)
        self.outputs: list[Output] = []
        self.writers: set[int] = set()

    def output(self, path: Path | str | None, *, strip: bool = False, **spec: int) -> Output:
        name = None if path is None else str(path)
        made = Output(
            f"p{len(self.outputs)}", "stdout", OutputSpec(logfile=name, **spec), name,  # type: ignore[arg-type]
            strip_ansi=strip, capture=self.capture,
        )  # fmt: skip
        made.followers = (self.grown,)
        self.outputs.append(made)
        return made

    def child(self, output: Output) -> int:
        read, write = os.pipe()
        output.attach(read)
        self.writers.add(write)
        return write

    def end(self, write: int) -> None:
        self.writers.remove(write)
        os.close(write)

    async def close(self) -> None:
        for write in self.writers:
            os.close(write)
        for output in self.outputs:
            output.close()
            output.close()
        self.capture.close()


def scenario(story: Callable[[Bench], Awaitable[None]]) -> None:
    async def run() -> None:
        bench = Bench()
        try:
            await story(bench)
        finally:
            await bench.close()

    before = open_descriptors()
    asyncio.run(run())
    for thread in threading.enumerate():
        if thread.name == "log writer":
            thread.join(10)
    assert open_descriptors() == before


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def contents(directory: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in directory.iterdir()}


def size_is(path: Path, size: int) -> Callable[[], bool]:
    return lambda: path.stat().st_size == size


def run_a_child(write: int) -> None:
    """Have a real program write its last words to ``write``, and wait for its end."""
    argv = [sys.executable, "-c", "print('last words'); raise SystemExit(3)"]
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
    os.waitid(os.P_PID, pid, os.WEXITED)


def holds(path: Path, data: bytes) -> Callable[[], bool]:
    return lambda: path.exists() and path.read_bytes() == data


@contextlib.contextmanager
def writing(fd: int, data: bytes) -> Iterator[None]:
    """Write ``data`` from another thread, as a child would; then close ``fd``."""

    def work() -> None:
        with open(fd, "wb", buffering=0) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("strip", [False, True], ids=["spliced", "copied"])
def test_all_that_a_flooding_child_writes_is_in_its_log(tmp_path: Path, *, strip: bool) -> None:
    async def story(bench: Bench) -> None:
        path = tmp_path / "x.log"
        write = bench.child(bench.output(path, strip=strip))
        bench.writers.remove(write)

        with writing(write, LINES):
            await bench.grown.until(holds(path, LINES))

    scenario(story)


def test_rotation_under_a_flood_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        path = tmp_path / "x.log"
        write = bench.child(bench.output(path, maxbytes=50_000, backups=50))
        bench.writers.remove(write)

        def all_bytes() -> bytes:
            backups = sorted(tmp_path.glob("x.log.*"), key=lambda each: -int(each.suffix[1:]))
            return b"".join(each.read_bytes() for each in [*backups, path])

        with writing(write, LINES):
            await bench.grown.until(lambda: all_bytes() == LINES)

    scenario(story)
    assert (tmp_path / "x.log.2").exists()


def test_a_real_child_writes_its_last_words_before_its_death_is_told(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        path = tmp_path / "x.log"
        output = bench.output(path)
        run_a_child(bench.child(output))

        output.drain()

        assert path.read_bytes() == b"last words\n"

    scenario(story)


def test_the_log_is_there_before_anything_was_written(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.child(bench.output(tmp_path / "logs" / "x.log"))

        assert (tmp_path / "logs" / "x.log").read_bytes() == b""

    scenario(story)


def test_a_pipe_that_a_grandchild_holds_is_read_on_beside_the_new_childs(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        path = tmp_path / "x.log"
        output = bench.output(path)
        old = bench.child(output)
        os.write(old, b"a")
        output.drain()
        new = bench.child(output)

        os.write(new, b"b")
        await bench.grown.until(holds(path, b"ab"))
        os.write(old, b"c")
        await bench.grown.until(holds(path, b"abc"))

    scenario(story)


def test_draining_a_pipe_that_is_flooded_on_comes_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        output = bench.output(tmp_path / "x.log")
        write = bench.child(output)
        real = LogFile.splice_from

        def splice_from(self: LogFile, pipe: int) -> int:
            moved = real(self, pipe)
            os.write(write, b"x" * 50_000)  # a grandchild that is always faster
            return moved

        monkeypatch.setattr(LogFile, "splice_from", splice_from)
        os.write(write, b"x" * 50_000)

        output.drain()

        monkeypatch.undo()

    scenario(story)
    assert (tmp_path / "x.log").stat().st_size >= 1024 * 1024  # all that a pipe can hold


def test_escapes_are_taken_out_across_reads(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        path = tmp_path / "x.log"
        output = bench.output(path, strip=True)
        write = bench.child(output)

        for piece in (b"\x1b[3", b"1mred\x1b", b"[0m\n\x1b[12"):
            os.write(write, piece)
            output.drain()
        bench.end(write)
        output.drain()

        assert path.read_bytes() == b"red\n\x1b[12"

    scenario(story)


def test_without_a_log_a_child_needs_no_pipe_unless_somebody_wants_its_events() -> None:
    async def story(bench: Bench) -> None:
        quiet = bench.output(None)
        told = bench.output(None, events_enabled=1)
        write = bench.child(told)
        os.set_blocking(write, False)
        for _ in range(10):
            os.write(write, b"x" * 60_000)  # would be full if nobody read
            told.drain()

        assert not quiet.needs_pipe
        assert told.needs_pipe

    scenario(story)


def test_two_processes_with_one_log_share_its_rotation(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        path = tmp_path / "x.log"
        outputs = [bench.output(path, maxbytes=4, backups=3) for _ in range(2)]
        writes = [bench.child(output) for output in outputs]

        for number in range(6):
            os.write(writes[number % 2], b"%d%d" % (number, number))
            outputs[number % 2].drain()

        logs = contents(tmp_path)
        assert logs == {
            "x.log": b"", "x.log.1": b"4455", "x.log.2": b"2233", "x.log.3": b"0011"
        }  # fmt: skip

    scenario(story)


def test_a_changed_path_takes_effect_with_the_next_byte(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        output = bench.output(tmp_path / "old.log")
        write = bench.child(output)
        os.write(write, b"old")
        output.drain()

        output.retune(OutputSpec(), str(tmp_path / "new.log"), strip_ansi=False)
        os.write(write, b"new")
        output.drain()

        assert (tmp_path / "old.log").read_bytes() == b"old"
        assert (tmp_path / "new.log").read_bytes() == b"new"

    scenario(story)


def test_where_splice_is_refused_bytes_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(22, "Invalid argument")

    async def story(bench: Bench) -> None:
        monkeypatch.setattr(os, "splice", refuse)
        path = tmp_path / "x.log"
        os.write(bench.child(bench.output(path)), b"copied")

        await bench.grown.until(holds(path, b"copied"))
        assert bench.heard.lines == []

    scenario(story)


# --- trouble --------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(trouble, "LAST_DELAY", 0.02)
    monkeypatch.setattr(trouble, "PROOF", 0.05)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)  # noqa: S607 - wherever the system has it


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("strip", [False, True], ids=["spliced", "copied"])
def test_a_full_disk_is_said_once_loses_nothing_and_leaves_others_alone(
    tmp_path: Path, small_disk: Path, *, strip: bool
) -> None:
    async def story(bench: Bench) -> None:
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"x" * 40_000)
        bad, good = small_disk / "x.log", tmp_path / "good.log"
        write = bench.child(bench.output(bad, strip=strip))
        other = bench.child(bench.output(good))

        bench.writers.remove(write)
        with writing(write, LINES[:60_000]):
            await bench.heard.until("No space left on device")
            os.write(other, b"unhurt")
            await bench.grown.until(holds(good, b"unhurt"))
            ballast.unlink()
            await bench.heard.until("again after")
            await bench.grown.until(holds(bad, LINES[:60_000]))

        assert [level for level, _ in bench.heard.lines] == [Level.ERRO, Level.INFO]
        assert str(bad) in bench.heard.lines[0][1]
        assert "none was lost" in bench.heard.lines[1][1]

    scenario(story)


@pytest.mark.usefixtures("impatient")
def test_a_log_whose_directory_cannot_be_made_works_as_soon_as_it_can(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        (tmp_path / "dir").write_text("in the way")
        path = tmp_path / "dir" / "x.log"
        write = bench.child(bench.output(path))
        os.write(write, b"patience")
        await bench.heard.until(str(path))

        (tmp_path / "dir").unlink()

        assert "8 bytes had waited" in await bench.heard.until("again after")
        assert path.read_bytes() == b"patience"

    scenario(story)


@pytest.mark.usefixtures("impatient")
def test_the_end_of_trouble_is_told_although_the_child_goes_on_writing(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        (tmp_path / "dir").write_text("in the way")
        output = bench.output(tmp_path / "dir" / "x.log")
        write = bench.child(output)
        output.followers = (lambda: os.write(write, b"more"),)  # type: ignore[assignment]
        os.write(write, b"first")
        await bench.heard.until("Not a directory")

        (tmp_path / "dir").unlink()

        await bench.heard.until("again after")
        output.followers = ()

    scenario(story)


def test_restarts_under_a_broken_log_do_not_eat_all_descriptors(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        output = bench.output(tmp_path)  # a directory
        for _ in range(100):
            write = bench.child(output)
            os.write(write, b"x")
            bench.end(write)

        assert len(output._pipes.fds) < 20
        assert sum("1 bytes never reached" in text for _, text in bench.heard.lines) > 80

    scenario(story)


def test_closing_says_what_could_not_be_written(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        output = bench.output(tmp_path)
        os.write(bench.child(output), b"12345")

        output.close()

        assert bench.heard.lines[-1][1].startswith("5 bytes never reached")

    scenario(story)


# --- slow disks -----------------------------------------------------------------------------


@pytest.mark.parametrize("strip", [False, True], ids=["spliced", "copied"])
def test_a_slow_disk_is_written_by_a_thread_until_it_is_fast_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, strip: bool
) -> None:
    async def story(bench: Bench) -> None:
        path = tmp_path / "x.log"
        threads = set()
        for name in ("splice_from", "write"):
            real = getattr(LogFile, name)

            def spy(*args: object, real: Callable[..., int] = real) -> int:
                threads.add(threading.current_thread().name)
                return real(*args)

            monkeypatch.setattr(LogFile, name, spy)
        monkeypatch.setattr(output_module, "SLOW", -1.0)
        output = bench.output(path, strip=strip)
        write = bench.child(output)
        os.write(write, b"first\n")
        output.drain()
        monkeypatch.setattr(output_module, "SLOW", 1e9)
        bench.writers.remove(write)
        with writing(write, LINES):
            await bench.grown.until(holds(path, b"first\n" + LINES))

        assert threads == {"MainThread", "log writer"}
        last = bench.child(output)
        for number in range(60):
            os.write(last, b".")
            size = len(LINES) + 7 + number
            await bench.grown.until(size_is(path, size))
        assert output._disk is not None
        assert not output._disk.slow

    scenario(story)


def test_a_disk_that_hangs_holds_up_only_its_own_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        hangs, fine = tmp_path / "hangs.log", tmp_path / "fine.log"
        go_on = threading.Event()
        real = LogFile.splice_from

        def splice_from(self: LogFile, pipe: int) -> int:
            if self.path == str(hangs):
                assert go_on.wait(10)
            return real(self, pipe)

        monkeypatch.setattr(LogFile, "splice_from", splice_from)
        stuck, free = bench.output(hangs), bench.output(fine)
        writes = [bench.child(stuck), bench.child(free)]
        stuck._disk = bench.capture.disk(-1)  # as if on a file system of its own
        stuck._disk.slow = True
        os.write(writes[0], b"late")
        os.write(writes[1], b"in time")

        await bench.grown.until(holds(fine, b"in time"))
        assert hangs.read_bytes() == b""
        stuck.reopen()
        stuck.drain()
        go_on.set()
        await bench.grown.until(holds(hangs, b"late"))

    scenario(story)


def test_an_output_closed_while_its_disk_hangs_gives_its_descriptors_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        entered, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()
        real = LogFile.splice_from

        def splice_from(self: LogFile, pipe: int) -> int:
            loop.call_soon_threadsafe(entered.set)
            assert go_on.wait(10)
            return real(self, pipe)

        monkeypatch.setattr(LogFile, "splice_from", splice_from)
        output = bench.output(tmp_path / "x.log")
        write = bench.child(output)
        assert output._disk is not None
        output._disk.slow = True
        os.write(write, b"just in time")
        async with asyncio.timeout(10):
            await entered.wait()

        output.close()
        go_on.set()

    scenario(story)
    assert (tmp_path / "x.log").read_bytes() == b"just in time"


# --- logs that are no files -----------------------------------------------------------------


def test_a_fifo_that_nobody_reads_holds_up_only_its_own_process(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        fifo, fine = tmp_path / "fifo", tmp_path / "fine.log"
        os.mkfifo(fifo)
        write, other = bench.child(bench.output(fifo)), bench.child(bench.output(fine))
        fcntl.fcntl(write, 1031, 1024 * 1024)  # F_SETPIPE_SZ
        data = LINES[:400_000]
        os.write(write, data)
        os.write(other, b"unhurt")
        await bench.grown.until(holds(fine, b"unhurt"))

        received = b""
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        readable = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(reader, readable.set)
        async with asyncio.timeout(10):
            while len(received) < len(data):
                await readable.wait()
                readable.clear()
                with contextlib.suppress(BlockingIOError):
                    received += os.read(reader, 1 << 20)
        loop.remove_reader(reader)
        os.close(reader)

        assert received == data

    scenario(story)


def test_many_processes_share_a_slow_standard_output_and_no_byte_is_lost() -> None:
    async def story(bench: Bench) -> None:
        read, stdout = os.pipe()
        os.set_blocking(read, False)
        outputs = [bench.output(f"/dev/fd/{stdout}") for _ in range(5)]
        for number, output in enumerate(outputs):
            os.write(bench.child(output), b"%d" % number * 60_000)

        received = b""
        readable = asyncio.Event()
        asyncio.get_running_loop().add_reader(read, readable.set)
        async with asyncio.timeout(10):
            while len(received) < 300_000:
                await readable.wait()
                readable.clear()
                with contextlib.suppress(BlockingIOError):
                    received += os.read(read, 1 << 20)
        asyncio.get_running_loop().remove_reader(read)
        os.close(read)
        os.close(stdout)

        assert sorted(received) == sorted(b"".join(b"%d" % each * 60_000 for each in range(5)))

    scenario(story)


def test_standard_output_that_nobody_reads_any_more_is_said_once_and_does_not_block_the_child() -> (
    None
):
    async def story(bench: Bench) -> None:
        read, stdout = os.pipe()
        output = bench.output(f"/dev/fd/{stdout}")
        write = bench.child(output)
        os.close(read)
        for _ in range(10):
            os.write(write, b"x" * 50_000)
            output.drain()
        os.close(stdout)

        assert [level for level, _ in bench.heard.lines] == [Level.ERRO]
        assert output._trouble is not None
        assert output._trouble.lost == 500_000

    scenario(story)


def test_a_socket_as_standard_output_is_written_to() -> None:
    async def story(bench: Bench) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            output = bench.output(f"/dev/fd/{theirs.fileno()}")
            os.write(bench.child(output), b"to the journal\n")
            output.drain()

            assert ours.recv(100) == b"to the journal\n"

    scenario(story)


def test_standard_output_that_is_a_file_is_shared_with_who_else_writes_it(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        stdout = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
        output = bench.output(f"/dev/fd/{stdout}", maxbytes=1)
        write = bench.child(output)
        for number in range(3):
            os.write(stdout, b"daemon %d\n" % number)
            os.write(write, b"child %d\n" % number)
            output.drain()
        os.close(stdout)

        expected = b"".join(b"daemon %d\nchild %d\n" % (each, each) for each in range(3))
        assert contents(tmp_path) == {"out": expected}

    scenario(story)


@pytest.mark.usefixtures("impatient")
def test_a_device_that_is_full_is_said_once() -> None:
    async def story(bench: Bench) -> None:
        os.write(bench.child(bench.output("/dev/full")), b"x")

        assert "/dev/full (stdout of p0)" in await bench.heard.until("No space left")

    scenario(story)


def test_a_silent_process_costs_no_auto_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "x-stdout---supervisor-abcdefgh.log"
        capture = Capture(asyncio.get_running_loop(), Heard())
        output = Output("x", "stdout", OutputSpec(), str(path), strip_ansi=False, capture=capture)
        for text in (b"", b"word"):
            read, write = os.pipe()
            output.attach(read)
            os.write(write, text)
            os.close(write)
            output.drain()

            assert path.exists() is bool(text)
        assert path.read_bytes() == b"word"
        assert path.stat().st_mode & 0o777 == 0o600
        output.close()
        capture.close()

    asyncio.run(scenario())
