from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from supervise.config.files import Files
from supervise.config.load import load
from supervise.config.model import SECTIONS
from supervise.config.outcome import read as outcome_of
from supervise.config.section import Findings
from supervise.core.plan import decode, encode
from supervise.core.spec import (
    AUTO,
    AutoRestart,
    Backoff,
    GroupKind,
    GroupSpec,
    ListenerSpec,
    OutputSpec,
    Plan,
    Policy,
    ProcessSpec,
)
from supervise.errors import ConfigError
from tests.support.rights import without_special_rights

ENVIRON = {"HOME": "/root", "PATH": "/usr/bin:/bin", "WHO": "me"}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Plan]:
    """Give a function that writes files, of which the first is the main one, and reads them."""

    def read(files: dict[str, str], **overrides: str) -> Plan:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return load(next(iter(files)), overrides, environ=ENVIRON, cwd=str(tmp_path))

    return read


Read = Callable[..., Plan]
A = "[program:a]\ncommand=x\n"


def program(read: Read, text: str) -> ProcessSpec:
    ((process,),) = (group.processes for group in read({"s.conf": f"[supervisord]\n{text}"}).groups)
    return process


# --- what supervisord 4.3.0 made of the same files -------------------------------------------

GOLDEN = """\
[unix_http_server]
file=/srv/demo/s.sock
[inet_http_server]
port=127.0.0.1:19001
username=u
password=p
[supervisord]
logfile=/srv/demo/sd.log
pidfile=/srv/demo/sd.pid
childlogdir=/srv/demo
loglevel=debug
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///srv/demo/s.sock
[program:cat]
command=/bin/cat
[program:multi]
command=/bin/sleep 10%(process_num)02d
numprocs=2
process_name=%(program_name)s_%(process_num)02d
[program:quick]
command=/bin/sh -c "echo hi; exit 3"
startretries=1
[program:oneshot]
command=/bin/echo one
startsecs=0
autorestart=false
[program:manual]
command=/bin/sleep 99
autostart=false
stdout_logfile=NONE
[program:stubborn]
command=/bin/sh -c "trap '' TERM; while :; do sleep 1; done"
stopwaitsecs=2
[program:badquote]
command=/bin/echo "unclosed
autostart=false
[group:grp]
programs=g1,g2
priority=5
[program:g1]
command=/bin/sleep 1000
[program:g2]
command=/bin/sleep 1000
"""


def test_the_recorded_configuration_means_what_supervisord_made_of_it(read: Read) -> None:
    plan = read({"golden.conf": GOLDEN})

    assert plan.warnings == ()
    assert [(group.name, group.priority) for group in plan.groups] == [
        ("grp", 5),
        *[(name, 999) for name in ("badquote", "cat", "manual", "multi", "oneshot", "quick")],
        ("stubborn", 999),
    ]
    specs = {(spec.group, spec.name): spec for group in plan.groups for spec in group.processes}
    assert specs["cat", "cat"] == ProcessSpec("cat", "cat", "cat", "/bin/cat")
    assert specs["multi", "multi_01"].command == "/bin/sleep 1001"
    assert specs["quick", "quick"].policy == Policy(startretries=1)
    assert specs["oneshot", "oneshot"].policy == Policy(
        startsecs=0.0, autorestart=AutoRestart.NEVER
    )
    assert specs["manual", "manual"].stdout == OutputSpec(logfile=None)
    assert not specs["manual", "manual"].autostart
    assert specs["badquote", "badquote"].command == '/bin/echo "unclosed'
    assert specs["grp", "g2"] == ProcessSpec("g2", "grp", "g2", "/bin/sleep 1000")
    inet, unix = plan.servers
    assert (inet.host, inet.port, inet.username, inet.password) == ("127.0.0.1", 19001, "u", "p")
    assert (unix.path, unix.mode) == ("/srv/demo/s.sock", 0o700)
    assert (plan.daemon.logfile, plan.daemon.loglevel) == ("/srv/demo/sd.log", "debug")


EXPANSION = """\
[supervisord]
logfile=%(here)s/m.log
identifier=changed
environment=GLOB="g1"
unknown_key=1
[include]
files=sub/*.conf nomatch/*.conf
[program:dup]
command=/bin/echo first
[program:dup]
autostart=false
[program:n]
command=/bin/echo %(program_name)s %(group_name)s %(process_num)02d %(numprocs)d %(here)s \
%(ENV_GLOB)s %(ENV_LOCAL)s
process_name=%(program_name)s-%(process_num)03d-%(group_name)s
numprocs=2
numprocs_start=5
environment=LOCAL="l%(process_num)d"
redirect_stderr=true
[program:zero]
command=/bin/echo
numprocs=0
"""


def test_includes_and_expansions_mean_what_supervisord_made_of_them(
    read: Read, tmp_path: Path
) -> None:
    included = "[program:inc]\ncommand=%(here)s/run\n[program:dup]\nautorestart=true\n"

    plan = read({"m.conf": EXPANSION, "sub/a.conf": included})

    groups = {group.name: group.processes for group in plan.groups}
    first, second = groups["n"]
    assert first.name == "n-005-n"
    assert first.command == f"/bin/echo n n 05 2 {tmp_path} g1 l5"
    assert first.environment == (("GLOB", "g1"), ("LOCAL", "l5"))
    assert first.stderr.logfile is None
    assert second.command == f"/bin/echo n n 06 2 {tmp_path} g1 l6"
    assert groups["zero"] == ()
    assert groups["inc"][0].command == f"{tmp_path}/sub/run"
    (dup,) = groups["dup"]
    assert (dup.command, dup.autostart) == ("/bin/echo first", False)
    assert dup.policy.autorestart is AutoRestart.ALWAYS
    assert plan.daemon.logfile == f"{tmp_path}/m.log"
    assert plan.warnings[0] == f'No file matches via include "{tmp_path}/nomatch/*.conf"'
    assert "m.conf:5: [supervisord] unknown_key: no such key" in plan.warnings
    assert plan.notes == (f'Included extra file "{tmp_path}/sub/a.conf" during parsing',)


def test_members_and_processes_come_in_supervisords_order(read: Read) -> None:
    text = (
        "[supervisord]\n[group:g]\nprograms=b,a\n[program:a]\ncommand=x\npriority=1\n"
        "[program:b]\ncommand=x\npriority=50\nnumprocs=11\n"
        "process_name=%(program_name)s%(process_num)d\n"
    )

    (group,) = read({"s.conf": text}).groups

    names = [spec.name for spec in group.processes]
    assert names == ["b0", "b1", "b10", *[f"b{number}" for number in range(2, 10)], "a"]
    assert group.kind is GroupKind.GROUP


def test_what_a_program_sets_is_seen_where_supervisord_sees_it(read: Read) -> None:
    text = (
        "[supervisord]\nenvironment=N=5\n[program:a]\ncommand=x %(ENV_N)s\n"
        "environment=N=7\npriority=%(ENV_N)s\nstdout_logfile=/l/%(ENV_N)s-%%%%.log\n"
    )

    (spec,) = read({"s.conf": text}).groups[0].processes

    assert (spec.command, spec.priority, spec.stdout.logfile) == ("x 7", 5, "/l/7-%.log")


def test_an_event_listener_and_an_fcgi_program(read: Read) -> None:
    text = (
        "[supervisord]\n[eventlistener:e]\ncommand=x\nevents=tick_5, PROCESS_STATE\n"
        "buffer_size=3\n[fcgi-program:f]\ncommand=x\nsocket=unix:///run/f.sock\nsocket_mode=0660\n"
    )

    listener, fcgi = read({"s.conf": text}).groups

    assert listener.priority == -1
    assert listener.processes[0].priority == 999
    assert listener.listener == ListenerSpec(("PROCESS_STATE", "TICK_5"), 3)
    assert fcgi.fcgi is not None
    assert (fcgi.fcgi.socket, fcgi.fcgi.mode) == ("unix:///run/f.sock", 0o660)


# --- Symfony's documentation, as it stands there but for command, paths and user --------------

SYMFONY = """\
[program:messenger-consume]
command=php /srv/app/bin/console messenger:consume async --time-limit=3600
user=nobody
numprocs=2
startsecs=0
autostart=true
autorestart=true
startretries=10
process_name=%(program_name)s_%(process_num)02d
"""


def test_the_section_of_symfonys_documentation_works_unchanged(read: Read) -> None:
    main = "[supervisord]\n[include]\nfiles = conf.d/*.conf\n"

    plan = read({"s.conf": main, "conf.d/messenger-worker.conf": SYMFONY})

    (group,) = plan.groups
    assert [spec.name for spec in group.processes] == [
        "messenger-consume_00",
        "messenger-consume_01",
    ]
    spec = group.processes[0]
    assert spec.command == "php /srv/app/bin/console messenger:consume async --time-limit=3600"
    assert spec.user is not None
    assert spec.user.name == "nobody"
    assert spec.user.uid > 0
    assert spec.policy == Policy(startsecs=0.0, startretries=10, autorestart=AutoRestart.ALWAYS)
    assert plan.warnings == ()


# --- TOML -------------------------------------------------------------------------------------


def test_toml_and_ini_say_the_same(read: Read) -> None:
    ini = (
        "[supervisord]\n[program:a]\ncommand=sh -c 'echo %(program_name)s'\nexitcodes=0,2\n"
        'environment=A="1",B="x %(process_num)d"\nstartsecs=0.5\nautorestart=unexpected\n'
        "umask=022\nstopsignal=QUIT\n[unix_http_server]\nfile=%(here)s/s.sock\nchmod=0770\n"
    )
    toml = (
        "[supervisord]\n[program.a]\ncommand = ['sh', '-c', 'echo %(program_name)s']\n"
        "exitcodes = [0, 2]\nenvironment = { A = 1, B = 'x %(process_num)d' }\nstartsecs = 0.5\n"
        "autorestart = 'unexpected'\numask = 0o022\nstopsignal = 3\n"
        "[unix_http_server]\nfile = '%(here)s/s.sock'\nchmod = '0770'\n"
    )

    assert read({"s.conf": ini}).groups == read({"s.toml": toml}).groups
    assert read({"s.conf": ini}).servers == read({"s.toml": toml}).servers


def test_both_can_be_mixed_in_one_directory(read: Read) -> None:
    plan = read(
        {
            "s.toml": "[supervisord]\n[include]\nfiles = ['conf.d/*.conf', 'conf.d/*.toml']\n",
            "conf.d/a.conf": "[program:a]\ncommand=x\n",
            "conf.d/b.toml": "[program.b]\ncommand = 'x'\n",
        }
    )

    assert [group.name for group in plan.groups] == ["a", "b"]


# --- beyond supervisord -----------------------------------------------------------------------


def test_our_own_keys(read: Read) -> None:
    spec = program(
        read,
        "[program:a]\ncommand=x\nstartretries=-1\nbackoff=exponential\nbackoff_max=60\n"
        "backoff_jitter=0.1\nrestartgap=0.25\n",
    )

    assert spec.policy == Policy(
        startretries=-1,
        backoff=Backoff.EXPONENTIAL,
        backoff_max=60.0,
        backoff_jitter=0.1,
        restartgap=0.25,
    )


def test_several_processes_without_a_name_get_numbers(read: Read) -> None:
    (group,) = read({"s.conf": "[supervisord]\n[program:a]\ncommand=x\nnumprocs=2\n"}).groups

    assert [spec.name for spec in group.processes] == ["a_00", "a_01"]


def test_an_env_file_lies_under_the_environment_and_is_watched(read: Read, tmp_path: Path) -> None:
    plan = read(
        {
            "s.conf": "[supervisord]\nenvironment=A=0,Z=0\n[include]\nfiles=sub/*\n",
            "sub/a.conf": "[program:a]\ncommand=x %(ENV_B)s\nenv_file=../a.env\n"
            "environment=C=environment\n",
            "a.env": "# comment\nexport A=file\nB='two words'\nC=file\n",
        }
    )

    (spec,) = plan.groups[0].processes
    assert dict(spec.environment) == {
        "A": "file",
        "Z": "0",
        "B": "two words",
        "C": "environment",
    }
    assert spec.command == "x two words"
    assert str(tmp_path / "a.env") in {source.path for source in plan.sources}


def test_the_command_line_wins_and_is_not_expanded(read: Read, tmp_path: Path) -> None:
    plan = read({"s.conf": "[supervisord]\nlogfile=a\n"}, logfile="50%.log", nodaemon="true")

    assert plan.daemon.logfile == str(tmp_path / "50%.log")
    assert plan.daemon.nodaemon


def test_relative_paths_start_where_the_daemon_was_started(read: Read, tmp_path: Path) -> None:
    plan = read(
        {
            "s.conf": f"[supervisord]\ndirectory=sub\n{A}stdout_logfile=o.log\n",
            "sub/x": "",
        }
    )

    assert plan.daemon.pidfile == str(tmp_path / "supervisord.pid")
    assert plan.groups[0].processes[0].stdout.logfile == str(tmp_path / "sub/o.log")
    assert plan.groups[0].processes[0].stderr.logfile == AUTO


# --- files ------------------------------------------------------------------------------------


def test_a_link_that_points_nowhere_is_a_warning_and_everything_else_loads(
    read: Read, tmp_path: Path
) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/gone.conf").symlink_to("/srv/project/gone.conf")

    plan = read(
        {
            "s.conf": "[supervisord]\n[include]\nfiles=conf.d/*.conf\n",
            "conf.d/a.conf": "[program:a]\ncommand=x\n",
        }
    )

    assert [group.name for group in plan.groups] == ["a"]
    assert plan.dangling == (str(tmp_path / "conf.d/gone.conf"),)
    assert plan.warnings == (
        (
            "conf.d/gone.conf: a symbolic link to /srv/project/gone.conf, which is not there; "
            "nothing is read from it"
        ),
    )


def test_a_link_to_itself_is_one_that_points_nowhere(read: Read, tmp_path: Path) -> None:
    (tmp_path / "loop.x").symlink_to("loop.x")

    plan = read({"s.conf": "[supervisord]\n[include]\nfiles=*.x\n"})

    assert plan.dangling == (str(tmp_path / "loop.x"),)


def test_a_file_that_vanishes_before_it_is_read_is_one_that_is_not_there(tmp_path: Path) -> None:
    findings = Findings()
    files = Files("s.conf", str(tmp_path), findings)

    assert files._one_included(str(tmp_path / "gone.x"), literal=False) == []
    assert findings.warnings == ["gone.x: vanished before it could be read"]
    assert files.dangling == []


def test_a_group_knows_every_file_that_says_something_of_it(read: Read, tmp_path: Path) -> None:
    plan = read(
        {
            "s.conf": "[supervisord]\n[include]\nfiles=*.x\n[group:g]\nprograms=a\n",
            "1.x": "[program:a]\ncommand=x\n",
            "2.x": "[program:a]\nautostart=no\n",
        }
    )

    (group,) = plan.groups
    assert group.sources == tuple(str(tmp_path / name) for name in ("s.conf", "1.x", "2.x"))


def test_every_place_where_a_change_would_matter_is_remembered(read: Read, tmp_path: Path) -> None:
    files = {"s.conf": "[supervisord]\n[include]\nfiles=*/conf.d/*.x\n", "p/conf.d/a.x": ""}

    plan = read(files)

    assert {source.path for source in plan.sources} == {
        str(tmp_path / name) for name in ("s.conf", "", "p", "p/conf.d", "p/conf.d/a.x")
    }
    source = next(source for source in plan.sources if source.path.endswith("a.x"))
    status = (tmp_path / "p/conf.d/a.x").stat()
    assert (source.mtime_ns, source.size) == (status.st_mtime_ns, 0)
    assert source.inode == status.st_ino


def test_a_directory_whose_name_looks_like_a_pattern_is_no_pattern(
    read: Read, tmp_path: Path
) -> None:
    plan = read(
        {
            "[x]/s.conf": "[supervisord]\n[include]\nfiles=*.x\n",
            "[x]/a.x": "[program:a]\ncommand=x\n",
        }
    )

    assert [group.name for group in plan.groups] == ["a"]
    assert str(tmp_path / "[x]") in {source.path for source in plan.sources}


def test_an_include_inside_an_included_file_is_ignored_with_a_warning(read: Read) -> None:
    plan = read(
        {
            "s.conf": "[supervisord]\n[include]\nfiles=a.x\n",
            "a.x": "[include]\nfiles=b.x\n",
            "b.x": "[program:b]\ncommand=x\n",
        }
    )

    assert plan.groups == ()
    assert plan.warnings == (
        "a.x:1: [include]: ignored, since only the main file can include others",
    )


def test_a_directory_among_the_files_is_passed_over(read: Read, tmp_path: Path) -> None:
    (tmp_path / "conf.d/disabled").mkdir(parents=True)

    plan = read({"s.conf": "[supervisord]\n[include]\nfiles=conf.d/*\n"})

    assert plan.warnings == ("conf.d/disabled: a directory, which is not read",)


# --- bad input --------------------------------------------------------------------------------

P = "[supervisord]\n[program:a]\ncommand=x\n"  # three lines that are right

BAD: dict[str, tuple[str, str]] = {
    "value": (
        f"{P}stopwaitsecs=soon\n",
        "s.conf:4: [program:a] stopwaitsecs: not a number of seconds: 'soon'; write 10 or 0.5",
    ),
    "no command": (
        "[supervisord]\n\n[program:a]\nautostart=no\n",
        "s.conf:3: [program:a] command: required, and not there",
    ),
    "kill without group": (
        f"{P}stopasgroup=true\nkillasgroup=false\n",
        (
            "s.conf:5: [program:a] killasgroup: Cannot set stopasgroup=true and killasgroup=false; "
            "leave killasgroup out"
        ),
    ),
    "process_name": (
        f"{P}numprocs=2\nprocess_name=x\n",
        (
            "s.conf:5: [program:a] process_name: %(process_num) must be present within "
            "process_name when numprocs > 1, not 'x'"
        ),
    ),
    "process name after expansion": (
        f"{P}process_name=%(ENV_PATH)s\n",
        (
            "s.conf:4: [program:a] process_name: Invalid name: '/usr/bin:/bin' because of "
            "character: '/'"
        ),
    ),
    "user": (
        f"{P}user=nobody-of-that-name\n",
        "s.conf:4: [program:a] user: no such user: 'nobody-of-that-name'",
    ),
    "uid": (f"{P}user=3999999999\n", "s.conf:4: [program:a] user: no such user: '3999999999'"),
    "expansion": (
        f"{P}directory=/%(ENV_NOT)s\n",
        (
            "s.conf:4: [program:a] directory: '/%(ENV_NOT)s' contains names ('ENV_NOT') which "
            "cannot be expanded; available names: group_name, here, host_node_name, numprocs, "
            "process_num, program_name, and ENV_X for each variable X that is set"
        ),
    ),
    "log expanded twice": (
        f"{P}stdout_logfile=/50%%.log\n",
        (
            "s.conf:4: [program:a] stdout_logfile: '/50%.log' is badly formatted: a name in "
            "parentheses must follow the %; a literal % is written %%; this key is expanded twice: "
            "a literal % is %%%%"
        ),
    ),
    "environment": (
        f"{P}environment=A=1,B\n",
        (
            "s.conf:4: [program:a] environment: Unexpected end of key/value pairs in value "
            "'A=1,B'; "
            'write KEY="value",KEY2="value2"'
        ),
    ),
    "group": (
        f"{P}[group:g]\nprograms=a,bb\n",
        "s.conf:5: [group:g] programs: names unknown program or fcgi-program bb",
    ),
    "group with a near miss": (
        f"{P}[program:worker]\ncommand=x\n[group:g]\nprograms=a,workers\n",
        (
            "s.conf:7: [group:g] programs: names unknown program or fcgi-program workers; "
            "did you mean worker?"
        ),
    ),
    "group of listeners": (
        "[supervisord]\n[eventlistener:e]\ncommand=x\nevents=TICK_5\n[group:g]\nprograms=e\n",
        (
            "s.conf:6: [group:g] programs: names unknown program or fcgi-program e; "
            "an event listener cannot be in a group"
        ),
    ),
    "taken name": (
        f"{P}[program:b]\ncommand=x\n[group:a]\nprograms=b\n",
        "s.conf:2: [program:a]: the name a is taken by [group:a] at s.conf:6",
    ),
    "two processes of one name": (
        f"{P}process_name=p\n[program:b]\ncommand=x\nprocess_name=p\n[group:g]\nprograms=a,b\n",
        "s.conf:9: [group:g] programs: two processes of one name: p (of a and b)",
    ),
    "name of a program": (
        "[supervisord]\n[program:a b]\ncommand=x\n",
        "s.conf:2: [program:a b]: Invalid name: 'a b' because of character: ' '",
    ),
    "too many": (
        f"{P}numprocs=1000000000\n",
        "s.conf:4: [program:a] numprocs: 1000000000 processes are too many; at most 100000",
    ),
    "event": (
        "[supervisord]\n[eventlistener:e]\ncommand=x\nevents=TICK_6\n",
        "s.conf:4: [eventlistener:e] events: Unknown event type TICK_6; did you mean TICK_60?",
    ),
    "stderr of a listener": (
        "[supervisord]\n[eventlistener:e]\ncommand=x\nevents=TICK_5\nredirect_stderr=true\n",
        (
            "s.conf:5: [eventlistener:e] redirect_stderr: true is not allowed because it will "
            "interfere with the eventlistener protocol"
        ),
    ),
    "owner of a tcp socket": (
        "[supervisord]\n[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\nsocket_mode=0700\n",
        (
            "s.conf:2: [fcgi-program:f]: socket_owner and socket_mode params should only be used "
            "with a Unix domain socket"
        ),
    ),
    "half a password": (
        "[supervisord]\n[unix_http_server]\nfile=s\nusername=u\n",
        (
            "s.conf:2: [unix_http_server]: incomplete authentication: with a username or a "
            "password, both must be there"
        ),
    ),
    "chown": (
        "[supervisord]\n[unix_http_server]\nfile=s\nchown=root:no-such-group\n",
        "s.conf:4: [unix_http_server] chown: no such group: 'no-such-group'",
    ),
    "no supervisord": (
        "[program:a]\ncommand=x\n",
        "s.conf:1: .ini file does not include supervisord section",
    ),
    "directory of the daemon": (
        "[supervisord]\ndirectory=/not/there\n",
        "s.conf:2: [supervisord] directory: /not/there is not an existing directory",
    ),
    "include without files": (
        "[supervisord]\n[include]\n",
        "s.conf:2: [include]: .ini file has [include] section, but no files setting",
    ),
    "env_file": (
        f"{P}env_file=/not/there.env\n",
        "s.conf:4: [program:a] env_file: cannot read /not/there.env: No such file or directory",
    ),
    "garbage": (
        f"{P}what is this\n",
        "s.conf:4: 'what is this' is not a section and not key=value",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_with_file_line_section_and_key(read: Read, case: str) -> None:
    text, problem = BAD[case]

    with pytest.raises(ConfigError) as caught:
        read({"s.conf": text})

    assert problem in caught.value.problems
    assert len(caught.value.problems) == 1


BAD_TOML = {
    "unknown key": (
        "[supervisord]\n[program.a]\ncommand = 'x'\nstartsec = 1\n",
        "s.toml:4: [program.a] startsec: no such key; did you mean startsecs?",
    ),
    "unknown section": (
        "[supervisord]\n[progam.a]\ncommand = 'x'\n",
        "s.toml:2: [progam]: no such section; did you mean [program]?",
    ),
    "said twice": (
        "[supervisord]\n[include]\nfiles = 'a.conf'\n[program.a]\ncommand = 'x'\n",
        "a.conf:1: [program:a]: there is one already at s.toml:4",
    ),
    "type": (
        "[supervisord]\n[program.a]\ncommand = 'x'\nnumprocs = 1.5\n",
        "s.toml:4: [program.a] numprocs: not a whole number: 1.5",
    ),
}


@pytest.mark.parametrize("case", BAD_TOML)
def test_toml_is_strict(read: Read, case: str) -> None:
    text, problem = BAD_TOML[case]

    with pytest.raises(ConfigError) as caught:
        read({"s.toml": text, "a.conf": "[program:a]\ncommand=x\n"})

    assert caught.value.problems == (problem,)


def test_an_unknown_key_in_ini_is_a_warning_since_existing_files_must_start(read: Read) -> None:
    plan = read({"s.conf": f"{P}startsec=5\n[progam:b]\ncommand=x\n"})

    assert plan.warnings == (
        "s.conf:4: [program:a] startsec: no such key; did you mean startsecs?",
        "s.conf:5: [progam:b]: no such section; did you mean [program]?",
    )


def test_all_problems_of_all_files_are_reported_at_once(read: Read) -> None:
    with pytest.raises(ConfigError) as caught:
        read(
            {
                "s.conf": "[supervisord]\nminfds=x\n[include]\nfiles=*.x\n",
                "1.x": "[program:a]\nstartsecs=x\nautostart=x\n",
                "2.x": "[program:b]\ncommand=%(x)s\numask=9\n",
            }
        )

    places = sorted(problem.split(" ")[0] for problem in caught.value.problems)
    assert places == ["1.x:1:", "1.x:2:", "1.x:3:", "2.x:2:", "2.x:3:", "s.conf:2:"]


def test_thousands_of_problems_are_cut_short(read: Read) -> None:
    with pytest.raises(ConfigError) as caught:
        read({"s.conf": "[supervisord]\n" + "garbage\n" * 1000})

    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1] == "and 950 more problems"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"[program:a]\n; caf\xe9\n", "conf.d/a.conf:2: not UTF-8: byte 0xe9"),
        (b"\x7fELF\x00\x01", "conf.d/a.conf:1: not a text: it contains a NUL byte"),
    ],
)
def test_what_is_no_text_is_named(read: Read, tmp_path: Path, raw: bytes, problem: str) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.conf").write_bytes(raw)

    with pytest.raises(ConfigError) as caught:
        read({"s.conf": "[supervisord]\n[include]\nfiles=conf.d/*\n"})

    assert caught.value.problems == (problem,)


def test_a_pipe_among_the_files_does_not_hold_us_up(read: Read, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.x")

    with pytest.raises(ConfigError, match=r"pipe\.x:1: neither a file nor a link to one"):
        read({"s.conf": "[supervisord]\n[include]\nfiles=*.x\n"})


def test_an_included_directory_that_was_named_is_an_error(read: Read, tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()

    with pytest.raises(ConfigError, match=r"conf\.d:1: cannot be read: Is a directory"):
        read({"s.conf": "[supervisord]\n[include]\nfiles=conf.d\n"})


def test_a_file_that_may_not_be_read_is_named(read: Read, tmp_path: Path) -> None:
    (tmp_path / "a.x").touch(mode=0)

    with (
        without_special_rights(),
        pytest.raises(ConfigError, match=r"a\.x:1: cannot be read: Permission denied"),
    ):
        read({"s.conf": "[supervisord]\n[include]\nfiles=*.x\n"})


def test_a_main_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load("none.conf", cwd=str(tmp_path))

    assert caught.value.problems == ("could not find config file none.conf",)


GARBAGE_VALUES = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "x", "true", "%(here)s", "%(process_num)02d", "%s", "%(", "a,b"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
GARBAGE_LINES = st.one_of(
    st.tuples(
        st.sampled_from([*SECTIONS, *(f"{kind}:a" for kind in SECTIONS), "program:b", "x"])
    ).map(lambda name: f"[{name[0]}]"),
    st.tuples(
        st.sampled_from(sorted({key for model in SECTIONS.values() for key in model.model_fields})),
        GARBAGE_VALUES,
    ).map("=".join),
    GARBAGE_VALUES,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(GARBAGE_LINES, max_size=25), st.sampled_from(["s.conf", "s.toml"]))
def test_no_file_makes_it_crash(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], name: str
) -> None:
    directory = tmp_path_factory.getbasetemp()
    (directory / name).write_text("\n".join(["[supervisord]", *lines]))

    outcome = outcome_of(name, environ=ENVIRON, cwd=str(directory))

    if outcome.plan is None:
        assert outcome.findings.problems
        assert not any("pydantic" in problem for problem in outcome.findings.problems)
    else:
        assert decode(encode(outcome.plan)) == outcome.plan


# --- as a program -----------------------------------------------------------------------------


def run(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-m", "supervise.config.load", *argv],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def test_as_a_program_it_prints_the_plan(tmp_path: Path) -> None:
    (tmp_path / "s.conf").write_text("[supervisord]\n[program:a]\ncommand=x\nnumprocs=1000\n")

    done = run("s.conf", "--override", "loglevel=debug", cwd=tmp_path)

    plan = decode(done.stdout.splitlines())
    assert done.returncode == 0
    assert plan.daemon.loglevel == "debug"
    assert isinstance(plan.groups[0], GroupSpec)
    assert len(plan.groups[0].processes) == 1000


def test_as_a_program_it_prints_the_problems(tmp_path: Path) -> None:
    (tmp_path / "s.conf").write_text("[supervisord]\nminfds=x\n")

    done = run("s.conf", "--override", "loglevel=loud", cwd=tmp_path)

    assert done.returncode == 1
    with pytest.raises(ConfigError) as caught:
        decode(done.stdout.splitlines())
    assert caught.value.problems == (
        (
            "command line: [supervisord] loglevel: bad logging level name 'loud'; one of critical, "
            "error, warn, info, debug, trace, blather"
        ),
        "s.conf:2: [supervisord] minfds: not a whole number: 'x'",
    )


def test_as_a_program_it_checks_for_people(tmp_path: Path) -> None:
    (tmp_path / "s.conf").write_text("[supervisord]\nminfds=x\n")

    done = run("--check", "s.conf", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stdout == "s.conf:2: [supervisord] minfds: not a whole number: 'x'\n"


@pytest.mark.parametrize("argv", [[], ["--what"], ["a", "b"], ["--override", "x"], ["--cwd"]])
def test_a_wrong_command_line_is_exit_2(tmp_path: Path, argv: list[str]) -> None:
    done = run(*argv, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")


def test_what_is_accepted_and_does_nothing_yet_is_a_warning(tmp_path: Path) -> None:
    conf = tmp_path / "x.conf"
    conf.write_text(
        "[supervisord]\n"
        "[eventlistener:l]\ncommand=cat\nevents=TICK_5\n"
        "[fcgi-program:f]\ncommand=cat\nsocket=tcp://127.0.0.1:9\n"
        "[program:p]\ncommand=cat\nstderr_syslog=true\n"
    )

    warnings = "\n".join(load(str(conf)).warnings)

    assert f"{conf}:4: [eventlistener:l] events: it runs, but this version sends no" in warnings
    assert f"{conf}:7: [fcgi-program:f] socket: it runs, but this version opens no" in warnings
    assert f"{conf}:10: [program:p] stderr_syslog: this version sends no stderr" in warnings
