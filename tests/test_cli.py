"""The command line of superd: supervisord's options, and what each of them comes to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from supervise import __version__, cli
from supervise.config.model import Supervisord
from tests.support.children import eventually
from tests.support.daemon import SUPERD, Daemon


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("", {}),
        ("-c a.conf -n", {"configuration": "a.conf", "nodaemon": "true"}),
        ("--configuration=a.conf --nodaemon", {"configuration": "a.conf", "nodaemon": "true"}),
        ("-s -k -t", {"silent": "true", "nocleanup": "true", "strip_ansi": "true"}),
        ("-u joe -m 077 -d /", {"user": "joe", "umask": "077", "directory": "/"}),
        ("-l f -y 1KB -z 2", {"logfile": "f", "logfile_maxbytes": "1KB", "logfile_backups": "2"}),
        ("-e debug -j p -i me", {"loglevel": "debug", "pidfile": "p", "identifier": "me"}),
        ("-q d -a 9 --minprocs 8", {"childlogdir": "d", "minfds": "9", "minprocs": "8"}),
        ("--log_none", None),
        ("--loglev warn", {"loglevel": "warn"}),  # as long as it is clear what is meant
        ("-h", {"help": "true"}),
        ("-?", {"help": "true"}),
        ("--help", {"help": "true"}),
        ("-n -n", {"nodaemon": "true"}),
        ("-l a --logfile=a", {"logfile": "a"}),
    ],
)
def test_an_option_has_its_long_name_whatever_was_typed(
    words: str, options: dict[str, str] | None
) -> None:
    if options is None:
        with pytest.raises(cli.UsageError):
            cli.parse(words.split())
    else:
        assert cli.parse(words.split()) == options


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("-x", "option -x not recognized"),
        ("--logfile", "option --logfile requires argument"),
        ("--logfile_", "not a unique prefix"),
        ("start", r"positional arguments are not supported: \['start'\]"),
        ("-l a -l b", "conflicting command line option '-l'"),
        ("-l a --logfile b", "conflicting command line option '--logfile'"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: str, text: str) -> None:
    with pytest.raises(cli.UsageError, match=text):
        cli.parse(words.split())


def test_every_option_that_is_no_question_is_a_key_of_the_section() -> None:
    questions = {"configuration", "help", "version", "profile_options"}

    assert {name.rstrip("=") for name in cli.LONG} - questions <= Supervisord.model_fields.keys()


def _superd(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SUPERD, *words], capture_output=True, text=True, check=False, cwd=directory
    )


def test_help_and_version_are_answers_and_no_errors(tmp_path: Path) -> None:
    asked = _superd(tmp_path, "-h")
    version = _superd(tmp_path, "--version")

    assert (asked.returncode, asked.stderr) == (0, "")
    assert all(f"--{name.rstrip('=')}" in asked.stdout for name in cli.LONG if name[0] != "p")
    assert (version.returncode, version.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-x"], "option -x not recognized"),
        ([], "no configuration file found at the default places"),
        (["-c", "gone.conf"], "could not find config file"),
        (["-c", "here.conf", "-e", "loud"], "command line: [supervisord] loglevel: bad logging"),
    ],
)
def test_every_error_is_one_line_with_a_way_to_help_and_status_2(
    tmp_path: Path, words: list[str], text: str
) -> None:
    (tmp_path / "here.conf").write_text("[supervisord]\n")

    done = _superd(tmp_path, *words)

    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith("Error: ")
    assert text in first
    assert second == "For help, use superd -h"


def test_options_win_over_the_file(tmp_path: Path) -> None:
    program = "[program:x]\ncommand=sh -c 'printf \"\\033[1mbold\\033[0m\\n\"; exec sleep 1000'\n"
    options = ["-n", "-i", "somebody", "-l", f"{tmp_path}/other.log", "-t"]
    with Daemon(tmp_path, program, options=options, supervisord="identifier=me") as daemon:
        assert daemon.call("info")[0]["identification"] == "somebody"
        eventually(lambda: daemon.call("tail", name="x") == [{"data": "bold\n"}], "no escapes")

    assert "supervisord started" in (tmp_path / "other.log").read_text()
    assert not (tmp_path / "superd.log").exists()


def test_silent_in_the_foreground_says_nothing_on_standard_output(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, options=["-n", "-s"])
    daemon.start()
    try:
        eventually(daemon.socket.exists, "it listens")
        daemon.call("info")

        assert daemon.stop() == 0
        assert daemon.said == []
        assert "supervisord started" in (tmp_path / "superd.log").read_text()
    finally:
        daemon._clean()
