from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from supervise.errors import ConfigError
from supervise.locate import DEFAULT_URL, client_settings, find, search_paths

PLACES = (
    "cwd/etc/superd.toml",
    "cwd/superd.toml",
    "venv/etc/supervisord.conf",
    "venv/supervisord.conf",
    "cwd/supervisord.conf",
    "cwd/etc/supervisord.conf",
)


@pytest.mark.parametrize("at", range(len(PLACES)))
def test_the_first_place_that_has_a_file_counts(tmp_path: Path, at: int) -> None:
    for place in PLACES[at:]:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()

    found = find(None, str(tmp_path / "venv/bin/superctl"), str(tmp_path / "cwd"))

    assert found == str(tmp_path / PLACES[at])


def test_last_come_the_places_of_the_system(tmp_path: Path) -> None:
    assert search_paths("superd", str(tmp_path))[-3:] == [
        "/etc/superd.toml",
        "/etc/supervisord.conf",
        "/etc/supervisor/supervisord.conf",
    ]


def test_a_named_file_is_taken_even_if_it_is_not_there(tmp_path: Path) -> None:
    assert find("x.conf", "superd", str(tmp_path)) == str(tmp_path / "x.conf")


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_all_of_supervisorctl_is_read_and_expanded(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.conf",
        "[supervisorctl]  ; the client\n  ServerURL = unix://%(here)s/s.sock ; socket\n"
        "  username=%(ENV_WHO)s\n  password: p%%w#x\n  prompt=mysup\n  history_file=~/h\n"
        "[unix_http_server]\nfile=/other.sock\n",
    )

    settings = client_settings(path, {"WHO": "me"}, "/work")

    assert settings.serverurl == f"unix://{tmp_path}/s.sock"
    assert (settings.username, settings.password) == ("me", "p%w#x")
    assert settings.prompt == "mysup"
    assert settings.history_file == str(Path("~/h").expanduser())
    assert settings.source == path


def test_toml_says_the_same(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.toml",
        '[supervisorctl]\nserverurl = "unix://var/s.sock"\nusername = "me"\npassword = "p"\n'
        '[program.x]\ncommand = ["a"]\n',
    )

    settings = client_settings(path, {}, "/srv")

    assert (settings.serverurl, settings.username) == ("unix:///srv/var/s.sock", "me")


@pytest.mark.parametrize(
    "text",
    [
        "[unix_http_server]\nfile=%(here)s/s.sock\nusername=u\npassword=p\n",
        (
            "[supervisorctl]\nprompt=x\n[unix_http_server:a]\nfile=%(here)s/s.sock\nusername=u\n"
            "password=p\n[unix_http_server:b]\nfile=/b\n"
        ),
    ],
)
def test_without_a_url_it_is_the_socket_of_the_same_file(tmp_path: Path, text: str) -> None:
    settings = client_settings(write(tmp_path / "s.conf", text), {}, "/")

    assert settings.serverurl == f"unix://{tmp_path}/s.sock"
    assert (settings.username, settings.password) == ("u", "p")


def test_a_hashed_password_is_of_no_use_to_a_client(tmp_path: Path) -> None:
    text = "[unix_http_server]\nfile=/s\nusername=u\npassword={SHA}82ab\n"

    settings = client_settings(write(tmp_path / "s.conf", text), {}, "/")

    assert (settings.username, settings.password) == (None, None)


@pytest.mark.parametrize("path", [None, "s.conf"])
def test_with_nothing_at_all_it_is_port_9001(tmp_path: Path, path: str | None) -> None:
    named = None if path is None else write(tmp_path / path, "[supervisord]\n")

    assert client_settings(named, {}, "/").serverurl == DEFAULT_URL


def test_what_else_is_wrong_in_the_file_is_not_our_business(tmp_path: Path) -> None:
    text = (
        "garbage before\n[program:x]\ncommand\n=y\n  more\n[supervisorctl]\n"
        "serverurl=http://h:1\n  continued\n[broken\nserverurl=http://wrong\n"
    )

    settings = client_settings(write(tmp_path / "s.conf", text), {}, "/")

    assert settings.serverurl == "http://wrong"  # "[broken" starts no section


def test_a_toml_file_in_the_middle_of_an_edit_still_tells_the_socket(tmp_path: Path) -> None:
    text = "[program.x]\ncommand = sleep 1\n[unix_http_server.a]\nfile = '/run/s.sock' # here\n"

    settings = client_settings(write(tmp_path / "s.toml", text), {}, "/")

    assert settings.serverurl == "unix:///run/s.sock"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "s.conf",
            "\n[supervisorctl]\nserverurl=unix://%(ENV_X)s\n",
            (
                ":3: [supervisorctl] serverurl: 'unix://%(ENV_X)s' contains names ('ENV_X') which "
                "cannot be expanded"
            ),
        ),
        (
            "s.conf",
            "[supervisorctl]\nprompt=50%s\n",
            (
                ":2: [supervisorctl] prompt: '50%s' is badly formatted: a name in parentheses must "
                "follow the %; a literal % is written %%"
            ),
        ),
        ("s.toml", "x = \n", ": not valid TOML: Invalid value (at line 1, column 5)"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    path = write(tmp_path / name, text)

    with pytest.raises(ConfigError) as caught:
        client_settings(path, {"SECRET": "s3cret"}, "/")

    assert caught.value.problems == (path + problem,)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "none.conf")

    with pytest.raises(ConfigError) as caught:
        client_settings(path, {}, "/")

    assert caught.value.problems == (f"could not find config file {path}",)


def test_importing_it_brings_nothing_slow_along() -> None:
    code = (
        "import sys; before = set(sys.modules); import supervise.locate;"
        "slow = {'re', 'typing', 'dataclasses', 'pathlib', 'configparser', 'tomllib', 'asyncio'};"
        "print(sorted(slow & (set(sys.modules) - before)))"
    )

    printed = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout == "[]\n"
