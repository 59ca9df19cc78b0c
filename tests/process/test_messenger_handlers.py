"""Handlers that do to their process what applications do: fork, spawn, print to nobody."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.messenger import APP, NOTHING, TOML, Project

HANDLERS = """
import multiprocessing, signal

@dataclass
class Family:
    how: str

@handles
def have_children(message: Family) -> None:
    print("have_children in", os.getpid())
    if message.how == "terminate":
        ready, done = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=wait_for_ever, args=(done,))
        child.start()
        ready.recv()
        child.terminate()
        child.join()
        print("its child ended with", child.exitcode)
        return
    pid = os.fork()
    if pid == 0 and message.how == "exit":
        sys.exit(0)
    if pid == 0 and message.how == "raise":
        raise ValueError("in the child")
    if pid:
        os.waitpid(pid, 0)
        print("parent", os.getpid(), "goes on")

def wait_for_ever(done):
    done.send("ready")
    signal.pause()
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, TOML, APP + HANDLERS)


def test_a_process_that_a_handler_started_obeys_terminate(project: Project) -> None:
    project.dispatch("Family", how="terminate")

    with project.start("consume", "async", "--limit=1") as worker:
        worker.until(f"its child ended with -{signal.SIGTERM}")

        assert worker.ended() == 0


@pytest.mark.parametrize("how", ["exit", "raise", "return"])
def test_a_child_that_comes_back_from_a_handler_is_no_second_worker(
    project: Project, how: str
) -> None:
    project.dispatch("Family", how=how)
    project.dispatch("SmsNotification", content="next")

    done = project.run("consume", "async", "--limit=2", "-vv")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("have_children in") == 1
    assert done.stdout.count("sending next") == 1
    assert "Error thrown" not in done.stderr
    assert project.numbers() == NOTHING


def test_when_nobody_reads_what_handlers_print_the_worker_leaves_and_keeps_the_queue(
    project: Project,
) -> None:
    for content in "ab":
        project.dispatch("SmsNotification", content=content)
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        [*project.messenger, "consume", "async"], cwd=project.directory, env=project.environ,
        stdout=writer, stderr=subprocess.PIPE, text=True, timeout=15, check=False,
    )  # fmt: skip
    os.close(writer)

    assert done.returncode == 1
    assert "Nobody reads what the handlers print" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.numbers() == {**NOTHING, "ready": 2}


def test_a_pipe_of_the_handlers_own_that_breaks_is_its_own_failure(tmp_path: Path) -> None:
    code = """
@handles
def send_sms_to_nobody(message: SmsNotification) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.write(writer, b"x")
"""
    project = Project(tmp_path, TOML, APP + code)
    project.dispatch("SmsNotification", content="x")

    done = project.run("consume", "async", "--limit=1")

    assert done.returncode == 0
    assert "Sending for retry #1" in done.stderr
