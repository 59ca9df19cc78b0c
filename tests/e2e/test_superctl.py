"""``superctl`` at a terminal and in a pipe: no daemon, check, tail -f, patterns, colours, JSON."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.children import Announcements, command, kill
from tests.support.ctl_terminal import Terminal
from tests.support.programs import environ, program, run
from tests.support.site import Site

README = Path(__file__).resolve().parents[2] / "README.md"
SLEEPER = "[program:{name}]\ncommand=/bin/sleep 1000\nstartsecs=0\n{more}\n"
SPEAKER = """\
import sys
with open(sys.argv[1]) as mouth:  # a FIFO: whatever is written there is said on stdout
    for line in mouth:
        print(line, end="", flush=True)
"""


def sleeper(name: str, more: str = "") -> str:
    return SLEEPER.format(name=name, more=more)


@pytest.mark.parametrize(
    ("words", "code"), [("status", 4), ("start all", 7), ("stop x", 7), ("reread", 1), ("pid", 7)]
)
def test_without_a_daemon_it_says_so_and_how_to_start_one(
    tmp_path: Path, words: str, code: int
) -> None:
    conf = tmp_path / "superd.toml"
    conf.write_text(f'[supervisorctl]\nserverurl = "unix://{tmp_path}/s"\n')

    done = run("superctl", *words.split(), cwd=tmp_path)

    assert done.stdout == f"unix://{tmp_path}/s no such file\n"
    assert done.returncode == code
    assert f"superd -c {conf}" in done.stderr


def test_a_daemon_that_was_killed_refuses(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        assert site.popen is not None
        kill(site.pid)
        site.popen.communicate()

        done = site.ctl("status")

        assert done.stdout == f"unix://{tmp_path}/s refused connection\n"
        assert done.returncode == 4
        site.start()  # and the socket that was left behind keeps nobody from starting
        site.expect("supervisord started with pid")


def test_check_of_a_sound_file_hints_at_what_will_surprise(tmp_path: Path) -> None:
    (tmp_path / "superd.toml").write_text(
        '[unix_http_server]\nfile = "s"\n'
        "[program.consumer]\n"
        'command = "messenger consume async --limit=10"\n'
        'autorestart = "unexpected"\n'
    )

    done = run("superctl", "check", "superd.toml", cwd=tmp_path)
    found = run("superctl", "check", cwd=tmp_path)  # where superd would look

    assert done.returncode == found.returncode == 0
    assert "hint: superd.toml:5: [program.consumer] autorestart" in done.stdout + done.stderr
    assert "autorestart=true" in done.stdout + done.stderr
    assert "1 process in 1 group" in done.stdout


def test_the_configuration_for_a_service_in_the_readme_is_sound(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(\[unix_http_server\].*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "superd.toml").write_text(block)

    done = run("superctl", "check", "superd.toml", cwd=tmp_path)

    assert done.returncode == 0, done.stdout
    assert "hint" not in done.stdout + done.stderr


def test_check_of_a_broken_file_names_line_key_and_what_is_right(tmp_path: Path) -> None:
    (tmp_path / "bad.conf").write_text(
        "[supervisord]\n[program:web]\ncommand=/bin/cat\nstartsec=2\nautorestart=often\n"
    )

    done = run("superctl", "check", "bad.conf", cwd=tmp_path)

    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "bad.conf:4: [program:web] startsec: no such key; did you mean startsecs?" in said
    assert "bad.conf:5: [program:web] autorestart: invalid value 'often'" in said
    assert "true, false or unexpected" in said


def test_check_of_no_file_is_a_wrong_usage(tmp_path: Path) -> None:
    done = run("superctl", "check", "gone.conf", cwd=tmp_path)

    assert done.returncode in (1, 2)
    assert "gone.conf" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_traceback(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("many.conf", sleeper("many", "numprocs=200\n"))
        site.ctl("update")

        done = subprocess.run(
            ["/bin/sh", "-c", f"{program('superctl')} -c {site.conf} status | head -1"],
            check=False,
            capture_output=True,
            text=True,
            env=environ(),
        )

        assert done.stdout.startswith("many:many_00 ")
        assert done.stdout.count("\n") == 1
        assert done.stderr == ""


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("web.conf", sleeper("web"))
        site.ctl("update")
        argv = ["-c", str(site.conf), "status"]

        piped = site.ctl("status").stdout
        with Terminal(argv, {"TERM": "xterm"}) as terminal:
            shown = terminal.until("uptime")
        with Terminal(argv, {"TERM": "xterm", "NO_COLOR": "1"}) as terminal:
            plain = terminal.until("uptime")

        assert "\x1b[" not in piped
        assert "\x1b[" in shown
        assert "\x1b[" not in plain


def test_patterns_name_the_processes_they_match(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop(
            "worker.conf", sleeper("worker", "numprocs=12\nprocess_name=worker-%(process_num)d")
        )
        site.drop("web.conf", sleeper("web"))
        site.ctl("update")

        stopped = site.ctl("stop", "worker:worker-1?")
        some = site.ctl("status", "w*b")

        assert sorted(stopped.stdout.splitlines()) == [
            "worker:worker-10: stopped",
            "worker:worker-11: stopped",
        ]
        assert some.stdout.startswith("web ")
        assert some.stdout.count("\n") == 1
        assert len(site.pids()) == 11
        assert site.ctl("start", "*:worker-1?").returncode == 0
        assert len(site.pids()) == 13
        none = site.ctl("status", "nothing-*")
        assert none.returncode == 4


def test_status_as_json_has_what_a_program_wants_to_know(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("web.conf", sleeper("web", "autorestart=true\nrestartgap=0"))
        site.drop("bad.conf", "[program:bad]\ncommand=/no/such/thing\nautostart=false\n")
        site.ctl("update")
        kill(site.spawned("web"))
        pid = site.spawned("web")
        site.ctl("start", "bad")

        done = site.ctl("status", "--json")

        found = {row["name"]: row for row in json.loads(done.stdout)}
        assert found.keys() == {"bad", "web"}
        web = found["web"]
        assert (web["state"], web["pid"], web["restarts"]) == ("RUNNING", pid, 1)
        assert web["adopted"] is False
        assert 0 <= web["uptime"] < 15
        assert "9" in str(web["last_exit"]) or "SIGKILL" in str(web["last_exit"])
        assert found["bad"]["pid"] == 0
        assert {"last_exit", "reason", "uptime", "restarts"} <= found["bad"].keys()
        assert done.returncode == site.ctl("status").returncode == 3


def test_tail_f_prints_what_is_written_later_and_follows_a_rotation(tmp_path: Path) -> None:
    with Announcements(tmp_path) as mouth, Site(tmp_path) as site:
        speaker = command(tmp_path, SPEAKER, mouth.path)
        site.drop(
            "s.conf",
            f"[program:s]\ncommand={speaker}\nstartsecs=0\n"
            f"stdout_logfile={tmp_path}/s.log\nstdout_logfile_maxbytes=1000\n",
        )
        site.ctl("update")
        with site.follow("tail", "-f", "s") as tail, mouth.path.open("w") as say:
            tail.until("==> Press Ctrl-C to exit <==")
            print("the first line", file=say, flush=True)
            tail.until("the first line\n")
            for number in range(100):  # 1,500 bytes: the log is rotated on the way
                print(f"line {number:09d}", file=say, flush=True)

            seen = tail.until("line 000000099\n")

            assert [line for line in seen.splitlines() if line.startswith("line")] == [
                f"line {number:09d}" for number in range(100)
            ]
        assert (tmp_path / "s.log.1").exists()


def test_maintail_shows_and_follows_the_log_of_superd(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        shown = site.ctl("maintail")
        with site.follow("maintail", "-f") as tail:
            tail.until("supervisord started with pid")
            site.drop("web.conf", sleeper("web"))
            site.ctl("update")
            tail.until("spawned: 'web' with pid")

        assert f"supervisord started with pid {site.pid}\n" in shown.stdout
        assert shown.returncode == 0


def test_a_program_that_fails_to_start_shows_its_last_lines(tmp_path: Path) -> None:
    script = shlex.quote("echo cannot find the database; exit 3")
    with Site(tmp_path) as site:
        site.drop(
            "db.conf",
            f"[program:db]\ncommand=/bin/sh -c {script}\nautostart=false\nstartretries=0\n",
        )
        site.ctl("update")

        done = site.ctl("start", "db")

        assert done.stdout == "db: ERROR (spawn error)\n"
        assert done.returncode == 7
        assert "cannot find the database" in done.stderr


def test_a_group_without_its_star_and_a_process_without_its_group_get_a_hint(
    tmp_path: Path,
) -> None:
    with Site(tmp_path) as site:
        site.drop("w.conf", sleeper("worker", "numprocs=2"))
        site.ctl("update")

        group = site.ctl("stop", "worker")
        process = site.ctl("status", "worker_01")
        neither = site.ctl("restart", "nothing")

        assert group.stdout == "worker: ERROR (no such process)\n"
        assert group.stderr == "  did you mean 'worker:*'?\n"
        assert process.stdout == "worker_01: ERROR (no such process)\n"
        assert process.stderr == "  did you mean 'worker:worker_01'?\n"
        assert neither.stderr == ""
        assert len(site.pids()) == 2
