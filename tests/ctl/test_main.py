"""superctl from argv: options, streams, signals and exit codes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import supervise
from supervise.ctl.main import main
from supervise.ctl.options import OptionError, parse
from supervise.wire import Frame, encode, error, result
from tests.support.ctl_client import outcome, status
from tests.support.ctl_server import ScriptedServer, Step, answer
from tests.support.ctl_terminal import Terminal

SUPERCTL = (sys.executable, "-m", "supervise.ctl.main")
WEB = status("web", "RUNNING", "pid 7, uptime 0:00:04")
Serve = Callable[..., ScriptedServer]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    def served(*scripts: Sequence[Step]) -> ScriptedServer:
        return ScriptedServer(tmp_path / "s", *scripts)

    return served


def ask(server: ScriptedServer, *words: str) -> Frame:
    """Run superctl and give the request that came in."""
    main(["-s", server.url, *words])
    return server.requests[0]


@pytest.mark.parametrize(
    ("argv", "action"),
    [
        (["signal HUP", "foo"], "signal HUP foo"),
        (["tail -100000", "foo"], "tail -100000 foo"),
        (["-s", "unix:///x", "tail", "-f", "foo"], "tail -f foo"),
        (["-sunix:///x", "status", "-c"], "status -c"),
        ([], ""),
    ],
)
def test_the_action_is_all_the_words_as_one_line(argv: list[str], action: str) -> None:
    assert parse(argv).action == action


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["-c", "f"], "configuration", "f"),
        (["--configuration", "f"], "configuration", "f"),
        (["--conf=f"], "configuration", "f"),
        (["-s", "u"], "serverurl", "u"),
        (["--server", "u"], "serverurl", "u"),
        (["-u", "joe"], "username", "joe"),
        (["--username", "joe"], "username", "joe"),
        (["-p", "x"], "password", "x"),
        (["--pass", ""], "password", ""),
        (["-r", "h"], "history_file", "h"),
        (["--history-file", "h"], "history_file", "h"),
        (["--history_file=h"], "history_file", "h"),
        (["-is", "u"], "serverurl", "u"),
        (["-?"], "help", True),
        (["--he"], "help", True),
        (["-v"], "version", True),
        (["-i", "status"], "interactive", True),
        (["status"], "interactive", False),
        ([], "interactive", True),
        (["status"], "serverurl", None),
    ],
)
def test_options_are_read_as_getopt_does(argv: list[str], name: str, value: object) -> None:
    assert getattr(parse(argv), name) == value


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["-x"], "option -x not recognized"),
        (["--bogus"], "option --bogus not recognized"),
        (["--hist", "x"], "option --hist not a unique prefix"),
        (["-c"], "option -c requires argument"),
        (["-c", "a", "--conf", "b"], "conflicting command line option '--configuration'"),
    ],
)
def test_wrong_options_are_named(argv: list[str], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(argv)

    assert str(caught.value) == words


def test_wrong_options_are_an_error_as_supervisorctls(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["-x", "status"])

    assert code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: option -x not recognized\nFor help, use ")
    assert err.endswith(" -h\n")


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-h"]) == 0
    assert "Usage: superctl [options]" in capsys.readouterr().out

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{supervise.__version__}\n"


def test_a_whole_command_from_argv_to_the_exit_code(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    job = status("job", "STOPPED", "Not started")
    with serve([answer(WEB, job)]) as server:
        code = main(["-s", server.url, "status"])

    assert code == 3
    assert capsys.readouterr().out == (
        f"{'web':33}RUNNING   pid 7, uptime 0:00:04\n{'job':33}STOPPED   Not started\n"
    )


def test_words_of_one_argument_are_split(serve: Serve) -> None:
    with serve([answer()]) as server:
        request = ask(server, "signal HUP", "foo bar")

    assert request["params"] == {"signal": "HUP", "names": ["foo", "bar"]}


def test_the_configuration_names_the_server_and_the_account(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "superd.conf"
    with serve([answer()], [answer()]) as server:
        file.write_text(
            f"[supervisord]\n[supervisorctl]\nserverurl={server.url}\n"
            "username=joe\npassword=from the file\n"
        )

        main(["-c", str(file), "reload"])
        main(["-c", str(file), "-p", "typed", "reload"])

    assert [request["auth"] for request in server.requests] == [
        {"username": "joe", "password": "from the file"},
        {"username": "joe", "password": "typed"},
    ]


def test_a_configuration_that_cannot_be_read_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-c", str(tmp_path / "none.conf"), "status"]) == 2

    assert "none.conf" in capsys.readouterr().err


def test_with_i_the_shell_follows_the_action(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = iter(["version", "exit"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    scripts = [[answer({"version": "first"})], [answer(WEB)], [answer({"version": "second"})]]
    with serve(*scripts) as server:
        code = main(["-i", "-s", server.url, "version"])

    assert code == 0
    out = capsys.readouterr().out
    assert out.index("first") < out.index("web ") < out.index("second")


def test_bytes_of_a_log_come_out_as_they_are(serve: Serve) -> None:
    raw = bytes(range(256))
    with serve([answer({"data": raw.decode("utf-8", "surrogateescape")})]) as server:
        done = subprocess.run(
            [*SUPERCTL, "-s", server.url, "tail", "web"],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            timeout=10,
            check=False,
        )

    assert done.stdout == raw + b"\n"
    assert done.stderr == b""


def test_results_are_seen_while_the_command_still_runs(serve: Serve) -> None:
    seen = threading.Event()
    first, rest = encode(result(1, outcome("a", "started"))), answer(outcome("b", "started"))
    with (
        serve([first, seen, rest]) as server,
        subprocess.Popen(
            [*SUPERCTL, "-s", server.url, "start", "all"], stdout=subprocess.PIPE, text=True
        ) as superctl,
    ):
        assert superctl.stdout is not None
        assert superctl.stdout.readline() == "a: started\n"
        seen.set()
        assert superctl.stdout.read() == "b: started\n"
        assert superctl.wait(10) == 0


def test_ctrl_c_ends_with_130_and_no_traceback(serve: Serve) -> None:
    never = threading.Event()
    with (
        serve([encode(result(1, outcome("a", "started"))), never]) as server,
        subprocess.Popen(
            [*SUPERCTL, "-s", server.url, "start", "all"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as superctl,
    ):
        assert superctl.stdout is not None
        superctl.stdout.readline()
        superctl.send_signal(signal.SIGINT)

        assert superctl.communicate(timeout=10) == ("", "")
        assert superctl.returncode == 130
        never.set()


def test_a_reader_that_leaves_is_no_error(serve: Serve) -> None:
    many = [status(f"web-{number}", "RUNNING", "x" * 100) for number in range(5000)]
    with serve([answer(*many)]) as server:
        done = subprocess.run(
            ["/bin/sh", "-c", f"{shlex.join([*SUPERCTL, '-s', server.url, 'status'])} | head -1"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )

    assert done.stdout.startswith("web-0 ")
    assert done.stderr == ""


def test_output_that_cannot_be_written_is_said_on_standard_error(serve: Serve) -> None:
    with serve([answer(WEB)]) as server, Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*SUPERCTL, "-s", server.url, "status"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=10,
            check=False,
        )

    assert done.stderr == "Error: standard output: No space left on device\n"
    assert done.returncode == 1


def test_a_directory_that_is_gone_does_not_matter(serve: Serve, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && exec"
    with serve([answer({"version": "1"})]) as server:
        done = subprocess.run(
            ["/bin/sh", "-c", f"{script} {shlex.join([*SUPERCTL, '-s', server.url, 'version'])}"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )

    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize(
    ("environ", "shown"),
    [({"NO_COLOR": ""}, "\x1b[32mRUNNING\x1b[0m   pid 7"), ({"NO_COLOR": "1"}, "RUNNING   pid 7")],
)
def test_colours_at_a_terminal_unless_unwanted(
    serve: Serve, environ: dict[str, str], shown: str
) -> None:
    with (
        serve([answer(WEB)]) as server,
        Terminal(["-s", server.url, "status"], environ) as terminal,
    ):
        assert f"web{' ' * 30}{shown}" in terminal.until("0:00:04")


def test_a_missing_password_is_one_line(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    with serve([encode(error(1, "UNAUTHORIZED", "a password is needed"))]) as server:
        assert main(["-s", server.url, "status"]) == 1

    assert capsys.readouterr().out == "Server requires authentication\n"


def test_status_imports_nothing_that_is_slow(serve: Serve) -> None:
    script = (
        "import sys, json; from supervise.ctl.main import main; main();"
        " print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    with serve([answer(WEB)]) as server:
        done = subprocess.run(
            [sys.executable, "-c", script, "-s", server.url, "status"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )

    slow = {
        *("argparse", "asyncio", "cmd", "dataclasses", "fnmatch", "http", "inspect", "logging"),
        *("pathlib", "pydantic", "psutil", "readline", "shlex", "ssl", "subprocess", "tempfile"),
    }
    assert slow.isdisjoint(json.loads(done.stderr))
