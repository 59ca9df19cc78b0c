"""Every recorded command of supervisorctl 4.3.0 once more, by real programs.

The configuration of the recordings is served by a real ``superd``; each command goes
through the installed ``superctl``. Where we differ, the table OURS says what comes instead
and why; what is not in it must be the same, in words and in exit code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from supervise import __version__
from tests.support.daemon import Daemon
from tests.support.golden import GOLDEN, HOME, Recorded, comparable, recorded
from tests.support.programs import Done, run

COMMANDS = tuple(recorded("ctl-commands.txt"))
CHANGES = tuple(recorded("ctl-reread-update.txt"))

pytestmark = [
    pytest.mark.xdist_group("golden"),  # the commands build on each other: one daemon hears all
    pytest.mark.slow,
    pytest.mark.timeout(60),
]


@dataclass(frozen=True, slots=True)
class Ours:
    """What we print instead, as a pattern, and the exit code if it is another one."""

    why: str
    printed: str
    code: int | None = None
    or_as_recorded: bool = False  # by chance it may be the same


NO_FG = "there is no fg yet"
OURS = {
    "commands": {
        "maintail -100": Ours(
            "the last 100 bytes of another log",
            # cat died of its SIGHUP a moment before: its being back may come after the command
            r"(?s)(.{10,60} INFO clear all asked by pid PID uid \d+|\d+ INFO success: cat .*)\n\n",
            or_as_recorded=True,
        ),
        "version": Ours("our versions are our own", re.escape(__version__) + "\n"),
        "fg": Ours(NO_FG, r"\*\*\* Unknown syntax: fg\n"),
        "fg manual": Ours(NO_FG, r"\*\*\* Unknown syntax: fg manual\n"),
        "fg nosuch": Ours(NO_FG, r"\*\*\* Unknown syntax: fg nosuch\n"),
        "fg a b": Ours(NO_FG, r"\*\*\* Unknown syntax: fg a b\n"),
        "help": Ours(
            "check is ours, and there is no fg yet",
            r"\ndefault commands \(type help <topic>\):\n=+\n"
            r"add  clear  open  reload  restart  start  tail\n"
            r"avail  exit  pid  remove  shutdown  status  update\n"
            r"check  maintail  quit  reread  signal  stop  version\n\n",
        ),
    },
    "changes": {
        "tail oneshot": Ours(
            "clear empties the log of a stopped process, too; there it did nothing", r"\n"
        ),
        "update #2": Ours(
            "numprocs 2 -> 3 stops nobody: only the third one is new",
            r"multi: updated process group\n",
        ),
        "status multi:*": Ours(
            "what runs keeps its pid, and what was stopped by hand stays stopped",
            r"multi:multi_00  RUNNING  pid PID, uptime T\n"
            r"multi:multi_01  STOPPED  DATE\n"
            r"multi:multi_02  (STARTING|RUNNING  pid PID, uptime T)\n",
            3,
        ),
        "update #3": Ours(
            "another priority is taken over, nobody is restarted for it",
            r"grp: updated process group\n",
        ),
        "reread #3": Ours(
            "file, line and key instead of a sentence of Python",
            r"ERROR: CANT_REREAD: /\S+/superd\.conf:\d+: \[program:bad\] command: required,"
            r" and not there\n",
        ),
        "update #4": Ours(
            "the same words as reread, not the inside of an exception",
            r"ERROR: CANT_REREAD: /\S+/superd\.conf:\d+: \[program:bad\] command: required,"
            r" and not there\n",
        ),
        "update #5": Ours(
            "the group's priority and the third process go without a restart of the others",
            r"cat: stopped\ncat: updated process group\n"
            r"grp: updated process group\n"
            r"multi: stopped\nmulti: updated process group\n"
            r"newone: removed process group\nnewone: stopped\n"
            r"newtwo: removed process group\nnewtwo: stopped\n"
            r"stubborn: added process group\n",
        ),
    },
}  # fmt: skip
# Several are stopped at once, and each line comes as it settles: in any order.
AS_THEY_SETTLE = {"stop multi:*", "update #5"}
# On standard error, where supervisorctl says nothing: why it did not, what was meant.
HINTS = {
    "start nofile": "  can't find command '/nonexistent'\n",
    "start notexec": "  command at '/etc/passwd' is not executable\n",
    "start badquote": "  can't parse command '/bin/echo \"unclosed': No closing quotation\n",
    "signal FOO g1": "  did you mean 'grp:g1'?\n",
    "start quick": (
        "  Exited too quickly (process log may have details)\n"
        "  hi\n  hi\n  hi\n"
        "  more: superctl tail quick stdout\n"
    ),
}
STUBBORN = re.compile(r"\[program:stubborn\]\n(?:[^\[].*\n)*")
ADDED = """\
[program:newone]
command=/bin/sleep 1000
[program:newtwo]
command=/bin/sleep 1000
autostart=false
"""


def edits(original: str) -> dict[str, str]:
    """Give what the file was changed to before a command, as in the recording."""
    changed = STUBBORN.sub("", original.replace("/bin/cat", "/bin/cat -u")) + ADDED
    more = changed.replace("numprocs=2", "numprocs=3")
    other = more.replace("priority=5", "priority=6")
    return {
        "reread": changed,
        "reread #2": more,
        "update #3": other,
        "reread #3": other + "[program:bad]\n",
        "update #5": original,
    }


@pytest.fixture(scope="module")
def happened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Done]]]:
    """Type all recorded commands in their order; give what each of them did."""
    home = tmp_path_factory.mktemp("golden")
    os.mkfifo(home / "never")
    original = (GOLDEN / "golden.conf").read_text().replace(HOME, str(home))
    # The `sleep 1` of the recorded loop would outlive its killed shell, and the daemon.
    original = original.replace("while :; do sleep 1; done", f"read x <>{home}/never")
    daemon = Daemon(home, socket=home / "s.sock")
    daemon.conf.write_text(original)
    with daemon:
        _settled(daemon)
        commands = {each.key: _type(daemon, each) for each in COMMANDS}
        changes = {}
        files = edits(original)
        for each in CHANGES:
            if each.key in files:
                daemon.conf.write_text(files[each.key])
            changes[each.key] = _type(daemon, each)
        yield {"commands": commands, "changes": changes}


def _settled(daemon: Daemon) -> None:
    """Wait until nothing is on its way any more."""
    left = {"cat", "multi_00", "multi_01", "g1", "g2", "stubborn", "nofile", "quick"}
    while left:
        left.discard(daemon.expect(r"(?:success|gave up): (\S+) entered (?:RUNNING|FATAL)")[1])


def _type(daemon: Daemon, each: Recorded) -> Done:
    return run("superctl", "-c", str(daemon.conf), *each.line.split(), cwd=daemon.home)


def rows() -> Iterator[object]:
    for table, commands in (("commands", COMMANDS), ("changes", CHANGES)):
        for each in commands:
            yield pytest.param(table, each, id=f"{table}-{each.key}")


@pytest.mark.parametrize(("table", "each"), list(rows()))
def test_superctl_does_what_supervisorctl_did(
    happened: dict[str, dict[str, Done]], table: str, each: Recorded
) -> None:
    done = happened[table][each.key]

    ours = OURS[table].get(each.key)
    printed, expected = comparable(done.stdout), comparable(each.printed)
    if each.key in AS_THEY_SETTLE:
        printed, expected = _sorted(printed), _sorted(expected)
    if ours is None:
        assert printed == expected
    else:
        assert re.fullmatch(ours.printed, printed), f"{ours.why}: {printed}"
    assert done.returncode == (each.code if ours is None or ours.code is None else ours.code)
    assert done.stderr == (HINTS.get(each.key, "") if table == "commands" else "")


def _sorted(lines: str) -> str:
    return "".join(sorted(lines.splitlines(keepends=True)))


def test_every_difference_is_one() -> None:
    for table, commands in (("commands", COMMANDS), ("changes", CHANGES)):
        known = {each.key: each for each in commands}
        for key, ours in OURS[table].items():
            same = re.fullmatch(ours.printed, comparable(known[key].printed))
            assert not same or ours.or_as_recorded, (
                f"{key} is as it was recorded: take it out of the table"
            )
