"""The interactive shell, line by line, and once at a real terminal."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from supervise.ctl.command import CallError, LostConnectionError, UnreachableError
from supervise.ctl.commands import ACTIONS
from supervise.ctl.shell import Shell
from supervise.wire import encode, result
from tests.support.ctl_client import Answer, FakeClient, Strings, outcome, status
from tests.support.ctl_server import Script, ScriptedServer, answer
from tests.support.ctl_terminal import Terminal

KNOWN: dict[str, Answer] = {
    "status": [status("cat", "RUNNING"), status("grp:g1", "RUNNING"), status("grp:g2", "STOPPED")],
    "avail": [{"name": "new", "group": "new", "process": "new"}],
}


def shell(answers: dict[str, Answer] | None = None) -> tuple[Shell, FakeClient, Strings]:
    client = FakeClient(KNOWN if answers is None else answers)
    console = Strings(ask=lambda _: "y")
    return Shell(client, console, "supervisor"), client, console


def test_the_prompt_is_the_configured_word() -> None:
    assert shell()[0].prompt == "supervisor> "


@pytest.mark.parametrize("line", ["exit", "quit", "EOF", " exit ", "exit now"])
def test_the_ways_out_end_the_line_and_the_shell(line: str) -> None:
    inside, _, console = shell()

    assert inside.onecmd(line)
    assert console.stdout.getvalue() == "\n"


@pytest.mark.parametrize("line", ["", "   ", "bogus", "status", "help"])
def test_everything_else_stays(line: str) -> None:
    inside, _, _ = shell()

    assert not inside.onecmd(line)


def test_an_empty_line_does_not_repeat_the_last_command() -> None:
    inside, client, _ = shell({"stop": [outcome("cat", "stopped")]})
    inside.onecmd("stop cat")

    inside.onecmd("")

    assert len(client.calls) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        LostConnectionError("unix:///s hung up"),
        UnreachableError("unix:///s", "no such file", 7, down=True),
        CallError("SHUTDOWN_STATE"),
    ],
)
def test_a_server_in_trouble_is_one_line_and_the_shell_goes_on(trouble: Exception) -> None:
    inside, client, console = shell({"status": [trouble]})

    assert not inside.onecmd("status")
    assert console.stdout.getvalue().count("\n") == 1

    client.answers["status"] = [status("cat", "RUNNING")]
    inside.onecmd("status")
    assert "cat " in console.stdout.getvalue()


@pytest.mark.parametrize(
    ("line", "text", "found"),
    [
        ("", "", [f"{action} " for action in ACTIONS]),
        ("sta", "sta", ["start ", "status "]),
        ("help re", "re", ["reload ", "remove ", "reread ", "restart "]),
        ("start ", "", ["cat ", "grp:g1 ", "grp:* ", "grp:g2 "]),
        ("start c", "c", ["cat "]),
        ("start cat:", "cat:", ["cat:cat ", "cat:* "]),
        ("stop cat g", "g", ["grp:g1 ", "grp:* ", "grp:g2 "]),
        ("signal HUP grp:g", "grp:g", ["grp:g1 ", "grp:g2 "]),
        ("update ", "", ["cat ", "grp ", "new "]),
        ("add n", "n", ["new "]),
        ("version ", "", []),
        ("bogus ", "", []),
    ],
)
def test_completion(line: str, text: str, found: list[str]) -> None:
    assert shell()[0].completions(line, text) == found


def test_completion_asks_the_server_once_a_line() -> None:
    inside, client, _ = shell()
    for _ in range(3):
        inside.completions("start ", "")
    assert len(client.calls) == 1

    inside.onecmd("")
    inside.completions("start ", "")

    assert len(client.calls) == 2


def test_completion_without_a_server_finds_nothing() -> None:
    inside, _, _ = shell({"status": [UnreachableError("unix:///s", "no such file")]})

    assert inside.completions("start ", "") == []


def test_a_session_at_a_real_terminal(tmp_path: Path) -> None:
    web = answer(status("web", "RUNNING", "pid 7, uptime 0:00:04"))
    piece = encode(result(1, {"data": "hello\n"}))
    wait = threading.Event()
    history = tmp_path / "history"
    configuration = tmp_path / "superd.conf"
    configuration.write_text("[supervisord]\n[supervisorctl]\nprompt = fleet\n")
    scripts: list[Script] = [[web], [piece, wait], [encode(result(1, {"name": "x"}))], [web]]
    argv = ["-c", str(configuration), "-s", f"unix://{tmp_path}/s", "-r", str(history)]
    with ScriptedServer(tmp_path / "s", *scripts), Terminal(argv, {}) as terminal:
        try:
            assert "\x1b[32mRUNNING\x1b[0m" in terminal.until("fleet> ")  # it begins with a status

            terminal.type("tail -f web\n")
            terminal.until("hello")
            terminal.type("\x03")
            terminal.until("fleet> ")  # Ctrl-C ends the tail, not the shell
        finally:
            wait.set()

        terminal.type("version\n")
        assert "Traceback" not in terminal.until("fleet> ")  # the server hung up in the middle

        terminal.type("sto\t web\x03")  # the line is thrown away
        terminal.until("fleet> ")

        terminal.type("status\n")
        terminal.until("pid 7")
        terminal.until("fleet> ")
        terminal.type("\x04")
        assert terminal.exit_code() == 0

    assert history.read_text().splitlines() == ["tail -f web", "version", "status"]


def test_the_shell_reads_a_pipe_as_well(tmp_path: Path) -> None:
    """A script may be piped in; the prompts stand between the answers, as upstream."""
    script = "version\nbogus\nexit\nversion\n"
    web = answer(status("web", "STOPPED", "Not started"))
    with ScriptedServer(tmp_path / "s", [web], [answer({"version": "1"})]) as server:
        done = subprocess.run(
            [sys.executable, "-m", "supervise.ctl.main", "-s", server.url],
            input=script,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )

    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [
        "supervisor> 1",
        "supervisor> *** Unknown syntax: bogus",
        "supervisor> ",
    ]
