"""reread and update: only what changed is touched, and nothing that runs is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.children import STUBBORN, Announcements, alive, command, kill
from tests.support.daemon import Daemon, Refused

PAIR = (
    "[program:w]\ncommand=sleep 1000\nprocess_name=w%(process_num)d\nnumprocs={}\nstartsecs=0\n"
    "stdout_logfile=NONE\nstderr_logfile=NONE\n{}\n"
)
OTHER = "[program:other]\ncommand=sleep 1000\nstartsecs=0\n"


def _pids(daemon: Daemon) -> dict[str, int]:
    return {answer["process"]: answer["pid"] for answer in daemon.call("status")}


def _update(daemon: Daemon, programs: str, *groups: str) -> list[tuple[str, str]]:
    daemon.write(programs)
    return [(it["group"], it["code"]) for it in daemon.call("update", groups=list(groups))]


def test_one_more_process_keeps_the_pids_of_the_others(tmp_path: Path) -> None:
    with Daemon(tmp_path, PAIR.format(2, "")) as daemon:
        daemon.running("w0", "w1")
        before = _pids(daemon)
        daemon.write(PAIR.format(3, ""))

        assert daemon.codes("reread") == {"w": "changed"}
        assert daemon.codes("update") == {"w": "updated"}

        after = _pids(daemon)
        assert after.pop("w2") > 0
        assert after == before


def test_one_process_less_stops_that_one_alone(tmp_path: Path) -> None:
    with Daemon(tmp_path, PAIR.format(3, "")) as daemon:
        daemon.running("w0", "w1", "w2")
        before = _pids(daemon)

        assert _update(daemon, PAIR.format(2, "")) == [("w", "stopped"), ("w", "updated")]

        gone = before.pop("w2")
        assert _pids(daemon) == before
        assert not alive(gone)


@pytest.mark.parametrize(
    "change",
    ["priority=5", "stopwaitsecs=3", "autorestart=false", "stdout_logfile_backups=3",
     "stdout_logfile_maxbytes=3MB", "exitcodes=0,7"],
)  # fmt: skip
def test_what_a_running_child_need_not_know_restarts_none(tmp_path: Path, change: str) -> None:
    with Daemon(tmp_path, PAIR.format(2, "")) as daemon:
        daemon.running("w0", "w1")
        before = _pids(daemon)

        assert _update(daemon, PAIR.format(2, change)) == [("w", "updated")]

        assert _pids(daemon) == before
        assert daemon.call("reread") == []


def test_what_changed_without_a_restart_is_obeyed(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        program = f"[program:x]\ncommand={command(tmp_path, STUBBORN, said.path)}\nstartsecs=0\n"
        with Daemon(tmp_path, program + "stopwaitsecs=1000\n") as daemon:
            child = int(said.line())
            assert _update(daemon, program + "stopsignal=KILL\n") == [("x", "updated")]

            assert daemon.codes("stop", names=["x"]) == {"x": "stopped"}

            assert not alive(child)


def test_a_changed_environment_restarts_exactly_those(tmp_path: Path) -> None:
    programs = "[program:a]\ncommand=sleep 1000\nstartsecs=0\n{}" + OTHER
    with Daemon(tmp_path, programs.format("")) as daemon:
        daemon.running("a", "other")
        before = _pids(daemon)

        results = _update(daemon, programs.format('environment=X="1"\n'))

        assert results == [("a", "stopped"), ("a", "updated")]
        after = _pids(daemon)
        assert after["other"] == before["other"]
        assert after["a"] not in (0, before["a"])
        assert b"X=1" in Path(f"/proc/{after['a']}/environ").read_bytes().split(b"\0")


def test_a_group_that_disappeared_is_stopped_and_a_new_one_is_started(tmp_path: Path) -> None:
    with Daemon(tmp_path, PAIR.format(1, "")) as daemon:
        gone = daemon.running("w0")["w0"]
        daemon.write(OTHER)
        assert daemon.codes("reread") == {"w": "disappeared", "other": "available"}

        results = _update(daemon, OTHER)

        assert results == [("w", "stopped"), ("w", "removed"), ("other", "added")]
        assert not alive(gone)
        assert _pids(daemon).keys() == {"other"}


def test_update_touches_the_named_groups_only(tmp_path: Path) -> None:
    with Daemon(tmp_path, OTHER) as daemon:
        both = PAIR.format(1, "") + PAIR.replace(":w", ":v").format(1, "") + OTHER

        results = _update(daemon, both, "w", "nosuch")

        assert results == [("nosuch", "BAD_NAME"), ("w", "added")]
        assert {answer["group"] for answer in daemon.call("status")} == {"w", "other"}


def test_a_file_that_cannot_be_read_changes_nothing_and_says_why(tmp_path: Path) -> None:
    with Daemon(tmp_path, PAIR.format(2, "")) as daemon:
        daemon.running("w0", "w1")
        before = _pids(daemon)
        daemon.write(PAIR.format(2, "startsecs=soon"))

        for method in ("reread", "update", "reload"):
            with pytest.raises(
                Refused, match=r"superd\.conf:\d+: \[program:w\] startsecs"
            ) as refused:
                daemon.call(method)
            assert refused.value.code == "CANT_REREAD"

        assert _pids(daemon) == before


def test_a_link_to_nowhere_keeps_the_group_that_came_from_it(tmp_path: Path) -> None:
    project = tmp_path / "project.conf"
    project.write_text(PAIR.format(1, ""))
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/w.conf").symlink_to(project)
    include = "[include]\nfiles=conf.d/*.conf\n"
    with Daemon(tmp_path, include) as daemon:
        before = daemon.running("w0")
        project.unlink()

        assert _update(daemon, include + OTHER) == [("other", "added")]

        assert _pids(daemon)["w0"] == before["w0"]
        (tmp_path / "conf.d/w.conf").unlink()
        assert _update(daemon, include + OTHER) == [("w", "stopped"), ("w", "removed")]


def test_what_an_operator_stopped_stays_stopped_when_its_program_changes(tmp_path: Path) -> None:
    programs = "[program:a]\ncommand=sleep 1000\nstartsecs=0\nautostart=true\n{}"
    with Daemon(tmp_path, programs.format("")) as daemon:
        daemon.running("a")
        daemon.call("stop", names=["a"])

        assert _update(daemon, programs.format('environment=X="1"\n')) == [("a", "updated")]

        assert daemon.status("a")["state"] == "STOPPED"


def test_two_updates_at_once_do_the_work_once(tmp_path: Path) -> None:
    programs = "[program:a]\ncommand=sleep 1000\nstartsecs=0\n{}"
    with Daemon(tmp_path, programs.format("")) as daemon:
        daemon.running("a")
        daemon.write(programs.format('environment=X="1"\n') + OTHER)
        with daemon.client() as one, daemon.client() as two:
            one.ask("update", {})
            two.ask("update", {})

            codes = [answer["code"] for client in (one, two) for answer in client.answers()]

        assert sorted(codes) == ["added", "stopped", "updated"]
        assert sum("spawned: 'a'" in line for line in _said(daemon)) == 2


def _said(daemon: Daemon) -> list[str]:
    """Give all that was logged up to now, from its log file."""
    daemon.call("info")
    return (daemon.home / "superd.log").read_text().splitlines()


def test_an_update_during_the_slow_stop_of_another_group_waits_for_nothing(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        slow = f"[program:slow]\ncommand={command(tmp_path, STUBBORN, said.path)}\nstartsecs=0\n"
        slow += "stopwaitsecs=1000\n{}"
        with Daemon(tmp_path, slow.format(""), supervisord="shutdown_timeout=0.1") as daemon:
            child = int(said.line())
            with daemon.client() as waiting:
                daemon.write(slow.format('environment=X="1"\n'))
                waiting.ask("update", {})
                daemon.expect("waiting for slow to stop")

                programs = slow.format('environment=X="1"\n') + OTHER
                assert _update(daemon, programs, "other") == [("other", "added")]
                kill(child)

                assert [it["code"] for it in waiting.answers()] == ["stopped", "updated"]
            assert daemon.status("slow")["pid"] == int(said.line())


def test_an_update_goes_on_to_its_end_when_its_client_hangs_up(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        slow = f"[program:slow]\ncommand={command(tmp_path, STUBBORN, said.path)}\nstartsecs=0\n"
        with Daemon(tmp_path, slow + "stopwaitsecs=1000\n") as daemon:
            child = int(said.line())
            with daemon.client() as client:
                daemon.write(OTHER)  # slow is to go, in a first phase; other is to come
                client.ask("update", {})
                daemon.expect("waiting for slow to stop")
            daemon.call("info")

            kill(child)

            daemon.spawned("other")
            assert _pids(daemon).keys() == {"other"}


def test_an_end_in_the_middle_of_an_update_leaves_nothing_running(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        slow = f"[program:slow]\ncommand={command(tmp_path, STUBBORN, said.path)}\nstartsecs=0\n"
        slow += "stopwaitsecs=1000\npriority={}\n{}"
        with Daemon(tmp_path, slow.format(10, "")) as daemon:
            child = int(said.line())
            with daemon.client() as client:
                daemon.write(slow.format(10, 'environment=X="1"\n') + OTHER)
                client.ask("update", {})
                daemon.expect("waiting for slow to stop")
                daemon.call("shutdown")
                kill(child)

                assert daemon.wait() == 0

            assert not any("spawned: 'other'" in line for line in daemon.said)
            assert sum("spawned: 'slow'" in line for line in daemon.said) == 1


def test_add_and_remove_take_groups_of_the_last_reading(tmp_path: Path) -> None:
    with Daemon(tmp_path, OTHER) as daemon:
        daemon.write(OTHER + PAIR.format(1, ""))
        assert daemon.codes("add", groups=["w"]) == {"w": "BAD_NAME"}
        daemon.call("reread")

        assert daemon.codes("add", groups=["w", "other"]) == {
            "w": "added",
            "other": "ALREADY_ADDED",
        }
        assert daemon.codes("remove", groups=["w", "x"]) == {"w": "STILL_RUNNING", "x": "BAD_NAME"}
        daemon.call("stop", names=["w:*"])
        assert daemon.codes("remove", groups=["w"]) == {"w": "removed"}

        assert _pids(daemon).keys() == {"other"}
