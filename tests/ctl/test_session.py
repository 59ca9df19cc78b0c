"""One line, from its words to the exit code: refusals, hints, JSON, colours, confirmations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from supervise.ctl.command import CallError, LostConnectionError, UnreachableError
from supervise.ctl.commands import ACTIONS, find
from supervise.ctl.session import run_line, split
from tests.support.ctl_client import Answer, FakeClient, Strings, outcome, status

URL = "unix:///run/s.sock"
MISSING = UnreachableError(URL, "no such file", 7, down=True)
REFUSED = UnreachableError(URL, "refused connection", 4, down=True)
SHUTTING_DOWN = CallError("SHUTDOWN_STATE")


class EveryMethod(dict[str, Answer]):
    """The same answer to whatever is asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(dict.fromkeys((*ACTIONS, "status"), answer))


def run(line: str, answers: dict[str, Answer] | None = None) -> tuple[str, int]:
    console = Strings()
    code = run_line(line, FakeClient(answers), console)
    return console.stdout.getvalue(), code


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("start a  b", "start", ["a", "b"]),
        ("  start\ta ", "start", ["a"]),
        ("tail-f web", "tail", ["-f", "web"]),
        ("? start", "help", ["start"]),
        ("?", "help", []),
        ("signal HUP foo", "signal", ["HUP", "foo"]),
        ("!ls", "", ["!ls"]),
        ("", "", []),
    ],
)
def test_a_line_is_taken_apart_as_supervisorctl_does(
    line: str, name: str, words: list[str]
) -> None:
    assert split(line) == (name, words)


@pytest.mark.parametrize("line", ["bogus", "bogus a b", "!ls", "-x", "START cat"])
def test_what_is_no_action_is_repeated(line: str) -> None:
    assert run(f" {line} ") == (f"*** Unknown syntax: {line}\n", 1)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_help(action: str) -> None:
    command = find(action)
    assert command is not None

    said, code = run(f"help {action}")

    assert said.startswith(f"{command.usage}\n")
    assert command.usage.startswith(action)
    assert code == 0


def test_help_tells_what_supervisorctl_does_not_have() -> None:
    assert "shutdown --wait" in run("help shutdown")[0]
    assert "status --json" in run("help status")[0]


@pytest.mark.parametrize(
    ("line", "missing", "refused"),
    [
        ("status", 4, 4),
        ("status web", 4, 4),
        *((f"{action} web", 7, 4) for action in ("start", "stop", "restart", "pid", "clear")),
        ("signal HUP web", 7, 4),
        ("tail web", 7, 4),
        ("tail -f web", 7, 4),
        ("maintail", 7, 4),
        ("version", 7, 4),
        *((line, 1, 1) for line in ("reread", "update", "avail", "reload", "add x", "remove x")),
    ],
)
def test_without_a_server_the_codes_are_supervisorctls(
    line: str, missing: int, refused: int
) -> None:
    said, code = run(line, EveryMethod([MISSING]))
    assert said.splitlines()[-1] == f"{URL} no such file"
    assert code == missing

    said, code = run(line, EveryMethod([REFUSED]))
    assert said.splitlines()[-1] == f"{URL} refused connection"
    assert code == refused


def test_without_a_server_standard_error_says_how_to_start_one() -> None:
    console = Strings(configuration="etc/superd.toml")

    run_line("status", FakeClient(EveryMethod([MISSING])), console)

    assert "superd -c etc/superd.toml" in console.stderr.getvalue()


def test_what_cannot_be_reached_for_another_reason_is_a_plain_failure() -> None:
    console = Strings()
    forbidden = UnreachableError(URL, "permission denied", hint="try sudo")

    code = run_line("status", FakeClient({"status": [forbidden]}), console)

    assert console.stdout.getvalue() == f"{URL} permission denied\n"
    assert console.stderr.getvalue() == "  try sudo\n"
    assert code == 1


def test_shutdown_without_a_server_wonders_whether_it_is_done() -> None:
    said = f"ERROR: {URL} refused connection (already shut down?)\n"

    assert run("shutdown", {"shutdown": [REFUSED]}) == (said, 1)


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        ("status", "ERROR: supervisor shutting down\n", 1),
        ("start web", "ERROR: supervisor shutting down\n", 1),
        ("reread", "ERROR: supervisor shutting down\n", 1),
        ("avail", "ERROR: supervisor shutting down\n", 1),
        ("update", "ERROR: already shutting down\n", 1),
        ("reload", "ERROR: already shutting down\n", 1),
        ("add web", "ERROR: shutting down\n", 1),
        ("shutdown", "ERROR: already shutting down\n", 0),
    ],
)
def test_a_server_that_is_about_to_stop_says_so(line: str, said: str, code: int) -> None:
    assert run(line, EveryMethod([SHUTTING_DOWN])) == (said, code)


@pytest.mark.parametrize("line", ["status", "start web", "tail web", "update", "shutdown"])
def test_a_server_that_wants_a_password_is_one_line(line: str) -> None:
    answers = EveryMethod([CallError("UNAUTHORIZED", "no password")])

    said, code = run(line, answers)

    assert (said, code) == ("Server requires authentication\n", 1)


def test_in_the_shell_the_password_is_asked_for_and_the_line_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"typed at {prompt}")
    client = FakeClient({"version": [CallError("UNAUTHORIZED")]})

    def ask(question: str) -> str:
        client.answers["version"] = [{"version": "1.0"}]
        return f"typed at {question}"

    console = Strings(ask=ask)

    assert run_line("version", client, console) == 0
    assert client.accepted == ("typed at Username:", "typed at Password:")
    assert console.stdout.getvalue() == "Server requires authentication\n\n1.0\n"


def test_a_server_that_goes_away_in_the_middle_keeps_what_it_said_before() -> None:
    lost = LostConnectionError(f"{URL} hung up before the answer was complete")

    said, code = run("start all", {"start": [outcome("a", "started"), lost]})

    assert said == f"a: started\nerror: {URL} hung up before the answer was complete\n"
    assert code == 1


def test_an_answer_that_lacks_a_field_is_an_error_and_no_traceback() -> None:
    assert run("status", {"status": [{"name": "x", "process": "x"}]}) == (
        f"error: the answer of {URL} lacks 'state'\n",
        1,
    )


def test_another_refusal_is_shown_as_it_came() -> None:
    refusal = CallError("INCORRECT_PARAMETERS", "names: not a list")

    assert run("start a", {"start": [refusal]}) == (
        "ERROR: INCORRECT_PARAMETERS: names: not a list\n",
        1,
    )


@pytest.mark.parametrize(
    ("line", "results", "said", "code"),
    [
        ("start a b", ["started", "SPAWN_ERROR"], "a: started\nb: ERROR (spawn error)\n", 7),
        (
            "start a b",
            ["ABNORMAL_TERMINATION", "started"],
            "a: ERROR (abnormal termination)\nb: started\n",
            7,
        ),
        (
            "start a b",
            ["SPAWN_ERROR", "BAD_NAME"],
            "a: ERROR (spawn error)\nb: ERROR (no such process)\n",
            1,
        ),
        ("start a b", ["NO_FILE", "ALREADY_STARTED"], None, 1),
        ("restart a a", ["NOT_RUNNING", "started"], "a: ERROR (not running)\nb: started\n", 0),
        ("restart a a", ["stopped", "SPAWN_ERROR"], "a: stopped\nb: ERROR (spawn error)\n", 7),
        ("stop a b", ["FAILED", "stopped"], "FAILED: cannot kill\nb: stopped\n", 1),
        ("signal FOO a b", ["BAD_SIGNAL", "BAD_SIGNAL"], None, 1),
        ("clear a b", ["FAILED", "cleared"], "a: ERROR (failed)\nb: cleared\n", 1),
    ],
)
def test_the_last_failure_sets_the_exit_code(
    line: str, results: list[str], said: str | None, code: int
) -> None:
    answer = [
        outcome(name, result, "cannot kill" if result == "FAILED" else "")
        for name, result in zip("ab", results, strict=True)
    ]

    printed, exit_code = run(line, {line.split(maxsplit=1)[0]: answer})

    assert said in (None, printed)
    assert exit_code == code


@pytest.mark.parametrize(
    ("line", "method", "params"),
    [
        ("status", "status", {"names": []}),
        ("status all web", "status", {"names": []}),
        ("status --json web", "status", {"names": ["web"]}),
        ("start web g:* w-?", "start", {"names": ["web", "g:*", "w-?"], "wait": True}),
        ("start web all", "start", {"names": ["all"], "wait": True}),
        ("stop all", "stop", {"names": ["all"], "wait": True}),
        ("restart web", "restart", {"names": ["web"], "wait": True}),
        ("signal usr1 web all", "signal", {"signal": "usr1", "names": ["all"]}),
        ("clear web", "clear", {"names": ["web"]}),
        ("pid", "pid", {"names": []}),
        ("pid web all", "pid", {"names": ["all"]}),
        (
            "tail web",
            "tail",
            {"name": "web", "channel": "stdout", "bytes": 1600, "follow": False},
        ),
        (
            "tail -100000 web STDERR",
            "tail",
            {"name": "web", "channel": "stderr", "bytes": 100000, "follow": False},
        ),
        (
            "tail -f web stderr",
            "tail",
            {"name": "web", "channel": "stderr", "bytes": 1024, "follow": True},
        ),
        ("maintail", "maintail", {"bytes": 1600, "follow": False}),
        ("maintail -f", "maintail", {"bytes": 1024, "follow": True}),
        ("update", "update", {"groups": []}),
        ("update a b", "update", {"groups": ["a", "b"]}),
        ("update a all", "update", {"groups": []}),
        ("add a b", "add", {"groups": ["a", "b"]}),
        ("shutdown", "shutdown", {"wait": False}),
        ("shutdown --wait", "shutdown", {"wait": True}),
        ("reload", "reload", {}),
    ],
)
def test_what_is_asked_of_the_server(line: str, method: str, params: dict[str, object]) -> None:
    client = FakeClient(EveryMethod([]))

    run_line(line, client, Strings())

    assert client.calls == [(method, params)]


@pytest.mark.parametrize("line", ["add", "remove"])
def test_no_group_at_all_asks_nothing(line: str) -> None:
    assert run(line) == ("", 0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tail -f", "Error: tail requires process name\n"),
        ("tail - web", "Error: bad argument -\n"),
        ("tail --5 web", "Error: bad argument --5\n"),
        ("tail web out", "Error: bad channel 'out'\n"),
        ("maintail -x", "Error: bad argument -x\n"),
        ("maintail 5", "Error: bad argument 5\n"),
    ],
)
def test_wrong_words_behind_tail(line: str, said: str) -> None:
    assert run(line) == (said, 1)


def test_following_a_log_ends_cleanly_with_ctrl_c() -> None:
    pieces: Answer = [{"data": "one\n"}, {"data": "tw"}, KeyboardInterrupt()]

    assert run("tail -f web", {"tail": pieces}) == ("==> Press Ctrl-C to exit <==\none\ntw\n", 0)


def test_ctrl_c_in_a_plain_tail_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        run("tail web", {"tail": [KeyboardInterrupt()]})


def test_hints_go_to_standard_error_and_leave_the_output_as_it_was() -> None:
    console = Strings()
    failed = outcome("web", "SPAWN_ERROR", hint=["last lines of web:", "| no such table"])

    run_line("start web", FakeClient({"start": [failed]}), console)

    assert console.stdout.getvalue() == "web: ERROR (spawn error)\n"
    assert console.stderr.getvalue() == "  last lines of web:\n  | no such table\n"


def test_json_is_one_array_with_every_field_the_server_gave() -> None:
    known = [
        status("web", "RUNNING", "pid 7", restarts=3, adopted=False, last_exit=None),
        status("job", "EXITED", "Nov 20", reason="exited 0"),
    ]

    said, code = run("status --json", {"status": known})

    assert json.loads(said) == known
    assert code == 3


def test_json_stays_json_when_a_name_is_wrong_or_nobody_answers() -> None:
    console = Strings()
    code = run_line(
        "status --json nosuch", FakeClient({"status": [outcome("nosuch", "BAD_NAME")]}), console
    )
    assert (console.stdout.getvalue(), code) == ("[]\n", 4)
    assert "nosuch: ERROR (no such process)" in console.stderr.getvalue()

    console = Strings()
    code = run_line("status --json", FakeClient({"status": [MISSING]}), console)
    assert (console.stdout.getvalue(), code) == ("", 4)
    assert "no such file" in console.stderr.getvalue()


@pytest.mark.parametrize("state", ["STOPPED", "EXITED", "FATAL", "UNKNOWN"])
def test_something_down_wins_over_a_bad_name(state: str) -> None:
    answers: Answer = [status("a", state), outcome("nosuch", "BAD_NAME")]

    assert run("status a nosuch", {"status": answers})[1] == 3


@pytest.mark.parametrize("state", ["RUNNING", "STARTING", "BACKOFF", "STOPPING"])
def test_what_is_on_its_way_counts_as_up(state: str) -> None:
    assert run("status", {"status": [status("a", state)]})[1] == 0


def test_a_server_without_processes_prints_nothing() -> None:
    assert run("status", {"status": []}) == ("", 0)


def test_columns_make_room_for_the_longest_name() -> None:
    long = "g" * 40
    said, _ = run("status", {"status": [status("a", "RUNNING", "x"), status(long, "FATAL", "y")]})

    assert said == f"{'a':<43}RUNNING   x\n{long}   FATAL     y\n"


def test_colours_change_nothing_but_the_colour() -> None:
    states = ["RUNNING", "STARTING", "BACKOFF", "STOPPING", "FATAL", "UNKNOWN", "EXITED", "STOPPED"]
    answers: dict[str, Answer] = {"status": [status("RUNNING", state, state) for state in states]}
    console = Strings(colours=True)

    run_line("status", FakeClient(answers), console)

    coloured = console.stdout.getvalue()
    assert "\x1b[32mRUNNING\x1b[0m   RUNNING\n" in coloured
    assert "\x1b[31mFATAL\x1b[0m     FATAL\n" in coloured
    for code in ("\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == run("status", answers)[0]


@pytest.mark.parametrize(
    ("line", "question", "done"),
    [
        (
            "shutdown",
            "Really shut the remote supervisord process down y/N? ",
            "Shut down\n",
        ),
        (
            "reload",
            "Really restart the remote supervisord process y/N? ",
            "Restarted supervisord\n",
        ),
    ],
)
@pytest.mark.parametrize(
    ("reply", "really"), [("y", True), ("Yes", True), ("", False), ("n", False)]
)
def test_in_the_shell_the_end_of_everything_is_confirmed(
    line: str, question: str, done: str, reply: str, really: bool
) -> None:
    questions: list[str] = []

    def ask(text: str) -> str:
        questions.append(text)
        return reply

    client, console = FakeClient(EveryMethod([])), Strings(ask=ask)

    assert run_line(line, client, console) == 0
    assert questions == [question]
    assert bool(client.calls) is really
    assert console.stdout.getvalue() == (done if really else "")


def test_open_turns_to_another_server_and_shows_it() -> None:
    client, console = FakeClient({"status": [status("web", "STOPPED", "Not started")]}), Strings()

    code = run_line("open unix:///other.sock", client, console)

    assert client.serverurl == "unix:///other.sock"
    assert console.stdout.getvalue().startswith("web ")
    assert code == 0


def test_open_of_a_dead_server_is_no_failure() -> None:
    assert run("open unix:///gone", {"status": [REFUSED]}) == (f"{URL} refused connection\n", 0)


def test_check_without_any_file_says_what_it_needs() -> None:
    said, code = run("check")

    assert said.startswith("Error: check found no configuration file")
    assert code == 2


def test_check_of_two_files_is_wrong_usage() -> None:
    assert run("check a b")[1] == 2


def test_check_runs_the_loader_on_the_file_and_gives_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    console = Strings(configuration="found.toml")

    assert run_line("check", FakeClient(), console) == 1
    assert (tmp_path / "asked").read_text() == "-P -m supervise.config.load --check found.toml\n"

    run_line("check other.conf", FakeClient(), console)
    assert (tmp_path / "asked").read_text().endswith("--check other.conf\n")
