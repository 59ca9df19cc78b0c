from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from workers.config.lines import line_of
from workers.config.load import Configuration, find, read
from workers.errors import ConfigError

README = """\
# root = ".."
import = ["app"]
failure_transport = "failed"

[transports]
async = "sqlite:///var/messages.db"   # or { dsn = "...", retry = { max_retries = 3 } }
failed = "sqlite:///var/messages.db?queue_name=failed"
remote = "%(ENV_MESSENGER_TRANSPORT_DSN)s"
slow = { dsn = "sync://", retry = { delay = 5 }, failure_transport = "async", options = { a = 1 } }

[routing]
"app.SmsNotification" = "async"
"app.*" = ["async", "slow"]

[log]
file = "var/log/messenger.log"
level = "info"
"""


def written(directory: Path, text: str, name: str = "messenger.toml") -> Path:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def problems(directory: Path, text: str) -> list[str]:
    file = written(directory, text)
    with pytest.raises(ConfigError) as caught:
        read(file, {})
    return [problem.removeprefix(str(file)) for problem in caught.value.problems]


def test_the_file_of_the_readme_is_read(tmp_path: Path) -> None:
    loaded = read(written(tmp_path, README), {})

    said = loaded.settings
    assert said.modules == ["app"]
    assert said.transports["async"].dsn == "sqlite:///var/messages.db"
    assert said.transports["async"].retry.max_retries == 3
    assert said.transports["slow"].retry.delay == 5
    assert said.routing == {"app.SmsNotification": ["async"], "app.*": ["async", "slow"]}
    assert loaded.root == tmp_path
    assert loaded.log_file == tmp_path / "var/log/messenger.log"


def test_an_empty_file_is_a_program_without_queues(tmp_path: Path) -> None:
    loaded = read(written(tmp_path, ""), {})

    assert loaded.settings.transports == {}
    assert loaded.log_file is None


def test_the_root_starts_from_the_directory_of_the_file(tmp_path: Path) -> None:
    loaded = read(written(tmp_path, 'root = ".."', "etc/messenger.toml"), {})

    assert loaded.root == tmp_path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import = 1\nx", ":2: Expected '=' after a key in a key/value pair"),
        ("a = [", ":1: Invalid value"),
        ("a = " + "[" * 9999, ": is nested too deeply"),
        ('imports = ["a"]', ':1: imports: no such key; did you mean "import"?'),
        ('\nimport = "app"', ":2: import: input should be a valid list"),
        ('import = ["app.py/x"]', ":1: [import] 0: string should match pattern"),
        ('import = [""]', ":1: [import] 0: string should match pattern"),
        (
            '[transports]\n\na = { dsn = "sync://", retries = 1 }',
            ":3: [transports] a.retries: no such key",
        ),
        (
            '[transports.a]\ndsn = "sync://"\n[transports.a.retry]\nmax_retrys = 2',
            ':4: [transports] a.retry.max_retrys: no such key; did you mean "max_retries"?',
        ),
        (
            '[transports]\na = { dsn = "sync://", retry = { delay = -1 } }',
            ":2: [transports] a.retry.delay: input should be greater than or equal to 0",
        ),
        (
            '[transports]\na = { dsn = "sync://", retry = { delay = "1" } }',
            ":2: [transports] a.retry.delay: input should be a valid number",
        ),
        ("[transports]\na = 3", ":2: [transports] a: should be a DSN in quotes, or a table"),
        ("log = 3", ":1: log: should be a table"),
        ('[transports]\na = ""', ":2: [transports] a.dsn: string should have at least 1 character"),
        ('[log]\nlevel = "loud"', ":2: [log] level: input should be 'debug'"),
        ('[log]\nfil = "x"', ':2: [log] fil: no such key; did you mean "file"?'),
        ('failure_transport = "failed"', ':1: failure_transport: no transport is called "failed"'),
        (
            '[transports]\nasync = "sync://"\n[routing]\n"app.X" = "asinc"',
            ':4: [routing] app.X: no transport is called "asinc"; did you mean "async"?',
        ),
        (
            '[transports]\na = { dsn = "sync://", failure_transport = "b" }',
            ':2: [transports] a.failure_transport: no transport is called "b"',
        ),
        ('restart_flag = "x"', ':1: restart_flag: no transport is called "x"'),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    found = problems(tmp_path, text)

    assert len(found) == 1
    assert found[0].startswith(problem)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "a = 1\nb = 2\n[log]\nc = 3")) == 3


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "messenger.toml"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"messenger\.toml: is not UTF-8 \(byte 0\)"):
        read(file, {})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read(tmp_path, {})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(alphabet="[]{}=\"'.\n# abdlog1,%", max_size=30))
def test_no_text_does_more_than_fail(tmp_path: Path, text: str) -> None:
    try:
        loaded = read(written(tmp_path, text), {})
    except ConfigError:
        return

    assert isinstance(loaded, Configuration)


def test_dotenv_fills_in_what_the_environment_does_not_say(tmp_path: Path) -> None:
    written(tmp_path, 'DSN=from-file\nexport OTHER="a b"\nBARE\n', ".env")
    environ = {"DSN": "real"}

    loaded = read(written(tmp_path, ""), environ)

    assert environ == {"DSN": "real", "OTHER": "a b"}
    assert loaded.environ == environ


def test_a_dotenv_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")

    with pytest.raises(ConfigError, match=r"\.env: cannot be read"):
        read(written(tmp_path, ""), {})


@pytest.mark.parametrize(
    ("there", "path", "environ", "expected"),
    [
        (["messenger.toml", "etc/messenger.toml"], None, {}, "messenger.toml"),
        (["etc/messenger.toml"], None, {}, "etc/messenger.toml"),
        (["messenger.toml", "x.toml"], None, {"MESSENGER_CONFIG": "x.toml"}, "x.toml"),
        (["x.toml", "y.toml"], "y.toml", {"MESSENGER_CONFIG": "x.toml"}, "y.toml"),
    ],
)
def test_the_file_is_looked_for_in_this_order(
    tmp_path: Path, there: list[str], path: str | None, environ: dict[str, str], expected: str
) -> None:
    for name in there:
        written(tmp_path, "", name)

    assert find(path, environ, tmp_path) == tmp_path / expected


@pytest.mark.parametrize(
    ("path", "environ", "text"),
    [
        (None, {}, r"no messenger\.toml: looked for \./messenger\.toml and \./etc/messenger\.toml"),
        ("gone.toml", {}, r"^gone\.toml: no such file$"),
        (None, {"MESSENGER_CONFIG": "gone"}, r"^gone \(from \$MESSENGER_CONFIG\): no such file$"),
    ],
)
def test_no_file_says_where_it_was_looked_for(
    tmp_path: Path, path: str | None, environ: dict[str, str], text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        find(path, environ, tmp_path)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["import"], ":2"),
        (["transports", "async"], ":6"),
        (["transports", "slow", "retry", "delay"], ":9"),
        (["routing", "app.SmsNotification"], ":12"),
        (["routing", "gone"], ":11"),
        (["log", "level"], ":17"),
        (["gone"], ""),
        ([], ""),
    ],
)
def test_a_key_is_found_where_it_stands(keys: list[str], line: str) -> None:
    assert line_of(README, keys) == line
