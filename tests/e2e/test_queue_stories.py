"""superd and messenger together: Symfony's program sections, a deploy, a kill -9, the README."""

from __future__ import annotations

import os
import pwd
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.children import DEADLINE, Announcements, eventually, kill
from tests.support.messenger import NOTHING, TOML, Project
from tests.support.programs import environ, program, run
from tests.support.site import Site

README = Path(__file__).resolve().parents[2] / "README.md"
# The sections of Symfony's documentation (messenger.rst): command and user are ours.
SYMFONY = """\
;/etc/supervisor/conf.d/messenger-worker.conf
[program:messenger-consume]
command=messenger consume async --time-limit=3600
user={user}
numprocs=2
startsecs=0
autostart=true
autorestart=true
startretries=10
process_name=%(program_name)s_%(process_num)02d
"""
CONSUMER_NAME = "environment=MESSENGER_CONSUMER_NAME=%(program_name)s_%(process_num)02d\n"
GRACEFUL = "[program:x]\ncommand=messenger consume async\nstopwaitsecs=20\n"
NUMBERS = """\
from dataclasses import dataclass
from pathlib import Path
from workers import handles

@dataclass
class Number:
    value: int

@handles
def count(message: Number) -> None:
    with open(Path(__file__).with_name("announcements"), "w") as fifo:
        fifo.write(f"{message.value}\\n")
"""
DISPATCH = """\
import sys
from app import Number
from workers import load

bus = load("messenger.toml").bus
for value in range(int(sys.argv[1])):
    bus.dispatch(Number(value))
"""
TWO = ["messenger-consume:messenger-consume_00", "messenger-consume:messenger-consume_01"]


def symfony() -> str:
    return SYMFONY.format(user=pwd.getpwuid(os.getuid()).pw_name)


def test_the_program_section_of_symfonys_documentation_and_its_commands(tmp_path: Path) -> None:
    Project(tmp_path)
    with Site(tmp_path) as site:
        site.drop("messenger-worker.conf", symfony() + CONSUMER_NAME)

        done = [
            site.ctl(*line.split()) for line in ("reread", "update", "start messenger-consume:*")
        ]
        first = site.pids()
        restart = site.ctl("restart", "messenger-consume:*")

        assert [each.stdout for each in done] == [
            "messenger-consume: available\n",
            "messenger-consume: added process group\n",
            "",  # autostart was faster
        ]
        assert [each.returncode for each in done] == [0, 0, 0]
        assert sorted(first) == TWO
        assert sorted(restart.stdout.splitlines()) == sorted(
            f"{name}: {what}" for name in TWO for what in ("stopped", "started")
        )
        second = site.pids()
        assert sorted(second) == TWO
        assert set(first.values()).isdisjoint(second.values())
        for number, name in enumerate(TWO):
            given = Path(f"/proc/{second[name]}/environ").read_bytes().split(b"\0")
            assert f"MESSENGER_CONSUMER_NAME=messenger-consume_0{number}".encode() in given


def test_a_stop_waits_for_the_message_in_hand(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with Site(tmp_path) as site:
        site.drop("x.conf", GRACEFUL)
        site.ctl("update")
        project.shut_gate()
        project.dispatch("Gate", number=7)
        with site.follow("tail", "-f", "x") as tail:
            tail.until("at the gate 7")

            with site.follow("stop", "x") as stop:
                site.expect("waiting for x to stop")
                project.open_gate()
                stop.until("x: stopped\n")

            tail.until("through the gate 7")
        site.expect(r"stopped: x \(exit status 0\)")
        assert project.numbers() == NOTHING


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_deploy_replaces_both_consumers_and_loses_no_message(tmp_path: Path) -> None:
    project = Project(tmp_path, TOML, NUMBERS)
    (tmp_path / "dispatch.py").write_text(DISPATCH)
    with Announcements(tmp_path) as handled, Site(tmp_path) as site:
        site.drop("messenger-worker.conf", symfony())
        site.ctl("update")
        old = {name: site.spawned(name.partition(":")[2]) for name in TWO}
        for name in TWO:
            with site.follow("tail", "-f", name, "stderr") as tail:
                tail.until("Consuming messages")  # later ones would not be meant

        dispatching = subprocess.Popen([sys.executable, "dispatch.py", "1000"], cwd=tmp_path)
        seen = handled.lines(300)
        asked = run("messenger", "stop-workers", cwd=tmp_path)
        while len(set(seen)) < 1000:
            seen.append(handled.line())
        for _ in range(4):
            site.expect(r"exited: \S+ \(exit status 0; expected\)|spawned: 'messenger-consume_0")

        assert dispatching.wait(DEADLINE) == 0
        assert asked.returncode == 0
        new = site.pids()
        assert sorted(new) == TWO
        assert set(old.values()).isdisjoint(new.values())
        assert len(seen) == 1000  # each once: nobody was killed
        eventually(lambda: project.numbers() == NOTHING, "all is acknowledged")


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_kill_in_the_middle_loses_no_message(tmp_path: Path) -> None:
    project = Project(tmp_path, TOML, NUMBERS)
    (tmp_path / "dispatch.py").write_text(DISPATCH)
    with Announcements(tmp_path) as handled, Site(tmp_path) as site:
        site.drop("messenger-worker.conf", symfony() + "restartgap=0\n")
        site.ctl("update")
        old = site.pids()

        dispatching = subprocess.Popen([sys.executable, "dispatch.py", "1000"], cwd=tmp_path)
        seen = set(handled.lines(200))
        kill(old[TWO[0]], signal.SIGKILL)
        while len(seen) < 1000:
            seen.add(handled.line())

        assert dispatching.wait(DEADLINE) == 0
        assert seen == {str(value) for value in range(1000)}
        site.expect(r"exited: messenger-consume_00 \(terminated by SIGKILL; not expected\)")
        assert site.spawned("messenger-consume_00") == site.pids()[TWO[0]] != old[TWO[0]]
        assert site.pids()[TWO[1]] == old[TWO[1]]
        eventually(lambda: project.numbers() == NOTHING, "all is acknowledged")


def test_the_example_of_the_readme_to_the_letter(tmp_path: Path) -> None:
    text = README.read_text()
    example = text[text.index("## Ten lines") :]
    blocks = re.findall(r"```(\w+)\n(.*?)```", example, re.DOTALL)
    (_, app), (_, toml), (_, console), (_, code) = blocks[:4]
    assert [kind for kind, _ in blocks[:4]] == ["python", "toml", "console", "python"]
    (tmp_path / "app.py").write_text(app)
    (tmp_path / "messenger.toml").write_text(toml)
    beside = Path(program("messenger")).parent
    env = environ(PATH=f"{beside}:/usr/bin:/bin")

    def shell(line: str) -> str:
        done = subprocess.run(
            ["/bin/sh", "-c", line], check=True, cwd=tmp_path, env=env,
            capture_output=True, text=True, timeout=DEADLINE,
        )  # fmt: skip
        return done.stdout

    dispatch, consume = (line.removeprefix("$ ") for line in console.splitlines())
    assert shell(dispatch) == "app.SmsNotification sent to async (id 1)\n"
    assert shell(consume) == "sending hello\n"
    (tmp_path / "again.py").write_text(code)
    shell("python again.py")
    assert shell(consume) == "sending hello\n"
    assert (tmp_path / "var" / "messages.db").exists()
