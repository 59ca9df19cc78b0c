"""The spawner by itself; what a child is born with is in tests/process."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervise.core.spec import ProcessSpec, UserSpec
from supervise.errors import Fault, SpawnError
from supervise.unix.spawn import RESERVE, Child, Spawner, run_tool
from tests.support.children import our_descriptors
from tests.support.inside import program


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    made = Spawner({"PATH": "/usr/bin:/bin"})
    yield made
    made.close()


def _end(child: Child) -> int:
    """Wait for a child; give its exit status, and its descriptors back."""
    info = os.waitid(os.P_PID, child.pid, os.WEXITED)
    for fd in (child.pidfd, child.stdin, child.stdout, child.stderr):
        if fd is not None:
            os.close(fd)
    assert info is not None
    return info.si_status


def _said(spawner: Spawner, spec: ProcessSpec) -> bytes:
    child = spawner.spawn(spec, {}, stdout=True, stderr=False)
    assert child.stdout is not None
    os.set_blocking(child.stdout, True)
    said = b"".join(iter(lambda: os.read(child.stdout or 0, 4096), b""))
    assert _end(child) == 0
    return said


def test_an_unwanted_stream_is_nothing_and_costs_nothing(spawner: Spawner) -> None:
    child = spawner.spawn(
        program("x", "sh -c 'test /dev/null -ef /dev/fd/1 && test /dev/null -ef /dev/fd/2'"),
        {},
        stdout=False,
        stderr=False,
    )

    assert (child.stdout, child.stderr) == (None, None)
    assert _end(child) == 0


def test_redirected_stderr_is_stdout(spawner: Spawner) -> None:
    spec = program("x", "sh -c 'echo out; echo err >&2'", redirect_stderr=True)

    assert _said(spawner, spec) == b"out\nerr\n"


def test_a_relative_program_starts_at_the_directory_of_its_program(
    spawner: Spawner, tmp_path: Path
) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\necho found\n")
    (tmp_path / "tool").chmod(0o755)

    assert _said(spawner, program("x", "./tool", directory=str(tmp_path))) == b"found\n"


def test_marks_lie_under_the_programs_own_environment(spawner: Spawner) -> None:
    spec = program("x", "sh -c 'echo $A $B'", environment=(("A", "own"),))
    child = spawner.spawn(spec, {"A": "mark", "B": "mark"}, stdout=True, stderr=False)
    assert child.stdout is not None
    os.set_blocking(child.stdout, True)

    assert os.read(child.stdout, 100) == b"own mark\n"
    _end(child)


@pytest.mark.parametrize(
    ("line", "fault", "text"),
    [
        ("nosuch", Fault.NO_FILE, "can't find command 'nosuch'"),
        ("/no/such", Fault.NO_FILE, "can't find command '/no/such'"),
        ("/etc/passwd", Fault.NOT_EXECUTABLE, "command at '/etc/passwd' is not executable"),
        ("/", Fault.NOT_EXECUTABLE, "command at '/' is a directory"),
        ("'", Fault.NOT_EXECUTABLE, "can't parse command \"'\": No closing quotation"),
        ("", Fault.NOT_EXECUTABLE, "command is empty"),
    ],
)
def test_what_cannot_run_is_said_in_upstreams_words(
    spawner: Spawner, line: str, fault: Fault, text: str
) -> None:
    with pytest.raises(SpawnError) as error:
        spawner.spawn(program("x", line), {}, stdout=True, stderr=True)

    assert (error.value.fault, error.value.text) == (fault, text)


def test_a_failed_start_leaves_no_descriptor_behind(spawner: Spawner, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\x7fELF")
    garbage.chmod(0o755)
    before = our_descriptors()

    for _ in range(3):
        with pytest.raises(SpawnError, match="couldn't exec"):
            spawner.spawn(program("x", str(garbage)), {}, stdout=True, stderr=True)
        with pytest.raises(SpawnError, match="couldn't chdir to /no/such: No such file"):
            spawner.spawn(program("x", "true", directory="/no/such"), {}, stdout=True, stderr=True)

    assert our_descriptors() == before


def test_a_reserve_of_descriptors_is_left_to_the_daemon(spawner: Spawner) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, our_descriptors()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + RESERVE, hard))
    filled = [os.open("/dev/null", os.O_RDONLY)]
    try:
        while filled[-1] < highest:  # the lowest free number comes first
            filled.append(os.open("/dev/null", os.O_RDONLY))
        with pytest.raises(SpawnError, match="too many open files to spawn 'x'"):
            spawner.spawn(program("x", "true"), {}, stdout=True, stderr=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in filled:
            os.close(fd)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_user_is_become_with_his_groups(spawner: Spawner) -> None:
    user = UserSpec("nobody", 65534, 65534, (65534, 7))

    assert sorted(_said(spawner, program("x", "id -G", user=user)).split()) == [b"65534", b"7"]


def test_a_tool_of_our_own_may_not_take_for_ever() -> None:
    assert run_tool(["cat"], b"data", 10.0) == (0, b"data", b"")
    with pytest.raises(TimeoutError, match="sleep did not end within 0"):
        run_tool(["sleep", "1000"], b"", 0.05)
