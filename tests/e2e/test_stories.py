"""What an administrator does on a day: files in conf.d, reread and update, kills, a reload.

Everything is typed: real ``superd``, real ``superctl``, real children.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.children import alive, ended, eventually, kill
from tests.support.programs import environ, run
from tests.support.site import Site

SLEEPER = """\
[program:{name}]
command=/bin/sleep 1000
startsecs=0
"""
PAIR = """\
[program:consumer]
command=/bin/sleep 1000
startsecs=0
numprocs={count}
process_name=%(program_name)s_%(process_num)02d
"""


def sleeper(name: str) -> str:
    return SLEEPER.format(name=name)


def test_a_file_dropped_into_conf_d_starts_with_reread_and_update(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("web.conf", sleeper("web"))

        reread = site.ctl("reread")
        before = site.ctl("status")
        update = site.ctl("update")

        assert (reread.stdout, reread.returncode) == ("web: available\n", 0)
        assert before.stdout == ""  # reread starts nothing
        assert (update.stdout, update.returncode) == ("web: added process group\n", 0)
        assert alive(site.pids()["web"])
        again = site.ctl("update")
        assert (again.stdout, again.returncode) == ("", 0)


def test_a_killed_process_is_back_with_another_pid(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("web.conf", sleeper("web") + "autorestart=true\nrestartgap=0\n")
        site.ctl("update")
        old = int(site.ctl("pid", "web").stdout)
        assert site.spawned("web") == old

        kill(old)
        new = site.spawned("web")

        assert new != old
        assert site.ctl("pid", "web").stdout == f"{new}\n"
        status = site.ctl("status", "web")
        assert f"RUNNING   pid {new}, uptime 0:00:0" in status.stdout
        assert status.returncode == 0


def test_a_third_process_starts_and_the_two_keep_their_pids(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("consumer.conf", PAIR.format(count=2))
        site.ctl("update")
        two = site.pids()
        site.drop("consumer.conf", PAIR.format(count=3))

        reread, update = site.ctl("reread"), site.ctl("update")

        assert reread.stdout == "consumer: changed\n"
        assert update.stdout == "consumer: updated process group\n"
        three = site.pids()
        assert len(two) == 2
        assert three.keys() - two.keys() == {"consumer:consumer_02"}
        assert {name: three[name] for name in two} == two
        site.drop("consumer.conf", PAIR.format(count=1))
        site.ctl("update")
        assert site.pids() == {"consumer:consumer_00": two["consumer:consumer_00"]}
        assert not alive(three["consumer:consumer_01"])


def test_a_dangling_link_is_a_warning_and_what_runs_of_it_goes_on(tmp_path: Path) -> None:
    project = tmp_path / "project.conf"
    project.write_text(sleeper("linked"))
    with Site(tmp_path) as site:
        link = site.conf_d / "linked.conf"
        link.symlink_to(project)
        site.ctl("update")
        before = site.pids()
        project.unlink()
        site.drop("web.conf", sleeper("web"))

        reread = site.ctl("reread")
        update = site.ctl("update")

        assert reread.returncode == update.returncode == 0
        assert update.stdout == "web: added process group\n"  # everything else loads
        assert site.pids()["linked"] == before["linked"]  # and this one is not stopped
        logged = site.expect(r"WARN.*linked\.conf.*")[0]
        for said in (logged, reread.stderr, update.stderr):  # both names, in the log and here
            assert str(link) in said
            assert str(project) in said


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("bad.conf", "[program:bad]\ncommand=/bin/true\nstartsecs=soon\n", "bad.conf:3: "),
        ("bad.conf", "[program:bad]\nautostart=true\n", "[program:bad] command: required"),
        ("bad.conf", "[program:\n", "bad.conf:1: "),
        ("bad.toml", "[program.bad]\ncommand = \n", "bad.toml:2: "),
        ("bad.toml", '[program.bad]\ncommand = "x"\nautostat = true\n', "autostart?"),
        ("bad.conf", "[program:bad]\ncommand=x\nuser=nobody-has-this-name\n", "no such user"),
    ],
)
def test_a_broken_file_is_told_and_disturbs_nobody(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    with Site(tmp_path) as site:
        site.drop("web.conf", sleeper("web"))
        site.ctl("update")
        before = site.pids()
        site.drop(name, text)

        answers = [site.ctl("reread"), site.ctl("update")]

        for done in answers:
            assert done.returncode == 1
            assert done.stdout.startswith(f"ERROR: CANT_REREAD: {site.conf_d / name}:")
            assert problem in done.stdout
        assert site.pids() == before
        (site.conf_d / name).unlink()
        assert site.ctl("reread").stdout == "No config updates to processes\n"


def test_ini_and_toml_live_in_one_conf_d(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("a.conf", sleeper("a") + "priority=10 ; an inline comment\n")
        site.drop("b.ini", sleeper("b"))
        site.drop(
            "c.toml",
            '[program.c]\ncommand = "/bin/sleep 1000"\nstartsecs = 0\n'
            'numprocs = 2\nexitcodes = [0, 2]\nenvironment = { GREETING = "a, \\"b\\"" }\n',
        )

        update = site.ctl("update")

        assert sorted(update.stdout.splitlines()) == [
            f"{name}: added process group" for name in ("a", "b", "c")
        ]
        pids = site.pids()
        assert pids.keys() == {"a", "b", "c:c_00", "c:c_01"}
        given = Path(f"/proc/{pids['c:c_01']}/environ").read_bytes().split(b"\0")
        assert b'GREETING=a, "b"' in given


def test_reload_keeps_the_pid_of_superd_and_starts_all_anew(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("web.conf", sleeper("web"))
        site.ctl("update")
        old, daemon = site.spawned("web"), site.ctl("pid").stdout

        done = site.ctl("reload")

        assert (done.stdout, done.returncode) == ("Restarted supervisord\n", 0)
        new = site.spawned("web")
        ended(old)
        assert new != old
        assert site.ctl("pid").stdout == daemon == f"{site.pid}\n"


def test_sighup_reloads_and_keeps_the_pid(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.drop("web.conf", sleeper("web"))

        site.signal(signal.SIGHUP)

        site.expect("received SIGHUP indicating restart request")
        pid = site.spawned("web")
        assert site.pids() == {"web": pid}


def test_a_program_is_found_beside_superd_whatever_path_says(tmp_path: Path) -> None:
    with Site(tmp_path, env={"PATH": "/usr/bin:/bin"}) as site:
        site.drop("m.conf", "[program:m]\ncommand=messenger --version\nstartsecs=0\n")
        site.ctl("update")

        site.expect(r"exited: m \(exit status 0; expected\)")

        assert site.ctl("tail", "m").stdout.startswith("messenger ")


def test_superd_without_a_configuration_names_the_places(tmp_path: Path) -> None:
    missing = run("superd", "-c", "nowhere.conf", cwd=tmp_path)
    if not any(Path(place).exists() for place in ("/etc/supervisord.conf", "/etc/supervisor")):
        none = run("superd", "-n", cwd=tmp_path)
        assert none.returncode == 2
        assert "./etc/superd.toml" in none.stderr
        assert "-c" in none.stderr

    assert missing.returncode == 2
    assert f"could not find config file {tmp_path}/nowhere.conf" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_second_superd_says_who_has_the_pidfile(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        second = run("superd", "-n", "-c", str(site.conf), cwd=tmp_path)

        assert second.returncode == 2
        assert f"another superd is already running with pidfile {tmp_path}/superd.pid" in (
            second.stderr
        )
        assert f"(pid {site.pid})" in second.stderr
        assert site.ctl("pid").stdout == f"{site.pid}\n"  # the first one is unharmed


def test_superd_in_the_background_is_there_when_its_parent_returns(tmp_path: Path) -> None:
    conf = tmp_path / "superd.conf"
    conf.write_text(
        f"[unix_http_server]\nfile={tmp_path}/s\n[supervisorctl]\nserverurl=unix://{tmp_path}/s\n"
        f"[supervisord]\nlogfile={tmp_path}/log\npidfile={tmp_path}/pid\nchildlogdir={tmp_path}\n"
        + sleeper("web")
    )
    env = environ()

    done = run("superd", "-c", str(conf), cwd=tmp_path, env=env)
    eventually(
        lambda: run("superctl", "-c", str(conf), "pid", cwd=tmp_path).returncode == 0,
        "superd answers",
    )
    pid = int(run("superctl", "-c", str(conf), "pid", cwd=tmp_path).stdout)
    try:
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert (tmp_path / "pid").read_text() == f"{pid}\n"
        assert os.getsid(pid) != os.getsid(0)
    finally:
        down = run("superctl", "-c", str(conf), "shutdown", "--wait", cwd=tmp_path)
        ended(pid)
    assert down.stdout == "Shut down\n"
    assert not (tmp_path / "s").exists()
    assert not (tmp_path / "pid").exists()
