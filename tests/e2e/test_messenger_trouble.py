"""``messenger`` when its surroundings are not as they should be: streams, modules, transports."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.messenger import NOTHING, TOML, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def _with(transport: str) -> str:
    return TOML.replace("[transports]", f"[transports]\n{transport}")


def test_closed_standard_streams_change_nothing(project: Project) -> None:
    project.dispatch("SmsNotification", content="x")

    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *project.messenger,
         "consume", "async", "--limit=1"],
        cwd=project.directory, env=project.environ, timeout=15, check=False,
    )  # fmt: skip

    assert done.returncode == 0
    assert project.numbers() == NOTHING


def test_a_working_directory_that_is_gone_is_no_traceback(project: Project) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    project.messenger = ["/bin/sh", "-c", script, "sh", *project.messenger]

    named = project.run("stats", "-c", str(project.directory / "messenger.toml"))
    looked_for = project.run("stats")

    assert named.returncode == 0, named.stderr
    assert looked_for.returncode == 1
    assert "messenger: no messenger.toml: looked for" in looked_for.stderr
    assert "Traceback" not in looked_for.stderr


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1 / 0", 'app.py", line 1'),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("from app import later", "circular import"),
        ("raise SystemExit(0)", '"app" ended the program (SystemExit: 0)'),
    ],
)
def test_a_module_that_cannot_be_imported_ends_it_before_anything_is_taken(
    project: Project, code: str, text: str
) -> None:
    project.dispatch("SmsNotification", content="x")
    (project.directory / "app.py").write_text(code + "\n")

    done = project.run("consume", "async", "--limit=1")

    assert done.returncode == 1
    assert text in done.stderr
    assert project.numbers() == {**NOTHING, "ready": 1}


def test_one_transport_that_cannot_be_used_hides_no_other(project: Project) -> None:
    toml = project.directory / "messenger.toml"
    toml.write_text(_with('odd = "carrier-pigeon://loft"'))

    stats = project.run("stats")
    setup = project.run("setup-transports")
    with project.start("consume", "async", "-vvv") as worker:
        worker.until("Nothing to do, waiting.")
        stop = project.run("stop-workers")

        assert worker.ended() == 0

    reason = 'messenger: transport "odd": no transport for "carrier-pigeon://"'
    assert [one.returncode for one in (stats, setup, stop)] == [1, 1, 1]
    assert all(reason in one.stderr for one in (stats, setup, stop))
    assert str(project.database) in stats.stdout
    assert '[OK] The "async" transport was set up successfully.' in setup.stderr
    assert "a restart was requested" in worker.seen


@pytest.mark.parametrize(
    ("dsn", "text"),
    [
        ("sync://", 'restart_flag: transport "flags" cannot keep it; name one with sqlite://'),
        ("in-memory://", 'restart_flag: transport "flags" cannot keep it'),
        ("%(ENV_FLAGS)s", "the environment variable FLAGS is not set"),
    ],
)
def test_a_flag_that_nobody_could_hear_is_refused(project: Project, dsn: str, text: str) -> None:
    toml = project.directory / "messenger.toml"
    toml.write_text('restart_flag = "flags"\n' + _with(f'flags = "{dsn}"'))

    for argv in (["stop-workers"], ["consume", "async", "--time-limit=0.1"]):
        done = project.run(*argv)

        assert done.returncode == 1
        assert text in done.stderr
        assert "[OK] Signal" not in done.stderr


def test_where_no_transport_can_tell_a_worker_to_stop_it_is_said(project: Project) -> None:
    toml = project.directory / "messenger.toml"
    toml.write_text('[transports]\nnow = "sync://"\n')

    done = project.run("stop-workers")

    assert done.returncode == 1
    assert "no transport here can tell a worker to stop" in done.stderr


def test_a_table_of_another_shape_is_said(project: Project) -> None:
    project.database.parent.mkdir()
    with project.foreign() as connection:
        connection.execute("CREATE TABLE messenger_messages (x)")

    done = project.run("dispatch", "app.SmsNotification", '{"content": "x"}')

    assert done.returncode == 1
    assert f"{project.database} cannot be used: no such column: queue_name" in done.stderr


@pytest.fixture
def small_disk(project: Project) -> Iterator[Path]:
    """A disk of one megabyte where the database will lie."""
    disk = project.database.parent
    disk.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only who may mount has a small disk")
    yield disk
    subprocess.run(["/bin/umount", str(disk)], check=True)


def test_a_full_disk_is_said_and_the_worker_goes_on_when_there_is_room(
    project: Project, small_disk: Path
) -> None:
    project.dispatch("SmsNotification", content="kept")
    room = shutil.disk_usage(small_disk).free
    (small_disk / "ballast").write_bytes(b"x" * room)

    refused = project.run("dispatch", "app.SmsNotification", '{"content": "refused"}')
    with project.start("consume", "async") as worker:
        worker.until("cannot be written: the disk is full; trying again until it works")
        (small_disk / "ballast").unlink()
        worker.until("sending kept")
        worker.send(signal.SIGTERM)

        assert worker.ended() == 0

    assert refused.returncode == 1
    assert f"{project.database} cannot be written: the disk is full" in refused.stderr
    assert project.numbers() == NOTHING
