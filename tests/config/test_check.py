from __future__ import annotations

from pathlib import Path

import pytest

from supervise.config.check import check
from supervise.config.hints import hints
from supervise.config.outcome import read

BASE = "[supervisord]\n[unix_http_server]\nfile=s.sock\n"  # three lines


def hints_of(tmp_path: Path, text: str, uid: int = 0) -> list[str]:
    (tmp_path / "s.conf").write_text(BASE + text)
    environ = {"PATH": "/usr/bin:/bin"}
    outcome = read("s.conf", environ=environ, cwd=str(tmp_path))
    assert outcome.plan is not None, outcome.findings.problems
    return list(hints(outcome.plan, outcome.sections, environ, uid))


def test_a_worker_with_a_limit_that_will_not_come_back(tmp_path: Path) -> None:
    text = "[program:w]\ncommand=sh messenger:consume async --limit=5\nautorestart=unexpected\n"

    assert hints_of(tmp_path, text) == [
        (
            "s.conf:6: [program:w] autorestart: is unexpected: a worker that exits 0 on its limit "
            "will not come back; say autorestart=true"
        )
    ]


def test_a_worker_behind_a_shell_that_will_not_come_back_either(tmp_path: Path) -> None:
    text = "[program:w]\ncommand=sh -c 'exec messenger consume async'\n"

    assert hints_of(tmp_path, text) == [
        (
            "s.conf:4: [program:w] autorestart: is unexpected: a worker that exits 0 on a limit or "
            "stop-workers will not come back; say autorestart=true"
        )
    ]


def test_a_worker_that_has_little_time_to_finish(tmp_path: Path) -> None:
    text = "[program:w]\ncommand=sh messenger consume a\nautorestart=true\nstopwaitsecs=2\n"

    assert hints_of(tmp_path, text) == [
        (
            "s.conf:7: [program:w] stopwaitsecs: 2 seconds are few for the message in hand: a "
            "handler that takes longer is killed, and its message handled again"
        )
    ]


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("no-such-program x", "can't find command 'no-such-program' in PATH (/usr/bin:/bin)"),
        ("/no/such/program", "can't find command '/no/such/program'"),
        ("/etc/passwd", "command at '/etc/passwd' is not executable"),
        ('sh "x', "'sh \"x' cannot be split into words: No closing quotation"),
        ("", "empty: there is nothing to run"),
    ],
)
def test_a_command_that_cannot_start(tmp_path: Path, command: str, hint: str) -> None:
    text = f"[program:w]\ncommand={command}\nnumprocs=3\n"

    assert hints_of(tmp_path, text) == [f"s.conf:5: [program:w] command: {hint}"]


def test_a_user_whom_only_root_can_become(tmp_path: Path) -> None:
    text = "[program:w]\ncommand=sh\nuser=nobody\n"

    assert hints_of(tmp_path, text) == []
    assert hints_of(tmp_path, text, uid=12345) == [
        "s.conf:6: [program:w] user: only a superd that runs as root can become nobody"
    ]


def test_a_log_in_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    text = "[program:w]\ncommand=sh\nstdout_logfile=/etc/passwd/logs/x.log\n"

    assert hints_of(tmp_path, text) == [
        "s.conf:6: [program:w] stdout_logfile: /etc/passwd is not a directory"
    ]


def test_an_open_door_unless_somebody_says_that_it_is_on_purpose(tmp_path: Path) -> None:
    text = "[inet_http_server]\nport=*:9001\n"

    assert hints_of(tmp_path, text) == [
        (
            "s.conf:5: [inet_http_server]: everyone who can connect may control everything; "
            "set username and password"
        )
    ]
    assert hints_of(tmp_path, f"{text}allow_unauthenticated=true\n") == []


def test_a_good_file_is_exit_0_and_says_what_is_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.conf").write_text(f"{BASE}x=1\n[program:w]\ncommand=sh\nnumprocs=2\n")

    assert check("s.conf", cwd=str(tmp_path)) == 0
    assert capsys.readouterr().out == (
        "warning: s.conf:4: [unix_http_server] x: no such key\ns.conf: ok, 2 processes in 1 group\n"
    )


def test_problems_are_exit_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.conf"
    path.write_text(f"{BASE}[supervisorctl]\nserverurl=https://h\n")

    assert check(str(path), cwd=str(tmp_path)) == 1
    assert capsys.readouterr().out == (
        "s.conf:5: [supervisorctl] serverurl: not an address: 'https://h'; write unix:///path "
        "or http://host:port\n"
    )


def test_without_a_name_the_file_is_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "superd.toml").write_text("[supervisord]\nminfds = 'x'\n")

    assert check(None, cwd=str(tmp_path)) == 1
    assert capsys.readouterr().out == (
        "superd.toml:2: [supervisord] minfds: not a whole number: 'x'\n"
    )
