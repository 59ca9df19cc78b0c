from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from workers.errors import ConfigError, NotConfiguredError
from workers.transports import dsn as dsns
from workers.transports.dsn import Dsn

ENVIRON = {"DSN": "redis://u:p%40ss@h/%(ENV_X)s", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%(ENV_DSN)s", "redis://u:p%40ss@h/%(ENV_X)s"),  # what is filled in is not looked at again
        ("sqlite:///%(here)s/x%20y.db", "sqlite:////etc/app/x%20y.db"),
        ("a%(ENV_EMPTY)sb", "ab"),
        ("%s %d %% %(other)s %40", "%s %d %% %(other)s %40"),
        ("", ""),
    ],
)
def test_only_the_environment_and_here_are_filled_in(text: str, expected: str) -> None:
    assert dsns.expand("async", text, ENVIRON, "/etc/app") == expected


def test_a_variable_that_is_not_set_is_named_with_its_transport() -> None:
    with pytest.raises(
        NotConfiguredError,
        match='transport "remote" is not configured: the environment variable GONE is not set',
    ):
        dsns.expand("remote", "%(ENV_GONE)s", ENVIRON, "/")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sync://", Dsn("sync", "", {})),
        ("in-memory://?serialize=true", Dsn("in-memory", "", {"serialize": "true"})),
        (" SQLite:///var/m.db ", Dsn("sqlite", "/var/m.db", {})),
        (
            "sqlite:///m.db?queue_name=a%20b&x=",
            Dsn("sqlite", "/m.db", {"queue_name": "a b", "x": ""}),
        ),
        ("redis://u:p%40?ss", Dsn("redis", "u:p%40", {"ss": ""})),
    ],
)
def test_a_dsn_is_taken_apart(text: str, expected: Dsn) -> None:
    assert dsns.parse("async", text) == expected


def test_the_query_goes_before_the_table_of_options() -> None:
    dsn = dsns.parse("async", "sqlite:///m.db?queue_name=q", {"queue_name": "other", "a": "1"})

    assert dsn.options == {"queue_name": "q", "a": "1"}


@pytest.mark.parametrize("text", ["", "var/m.db", "sqlite:/m.db", "://x", "1a://x"])
def test_what_is_not_a_dsn_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r'transport "async": .* is not a DSN; write sqlite:///'):
        dsns.parse("async", text)


def test_an_error_shows_no_password() -> None:
    with pytest.raises(ConfigError) as caught:
        dsns.parse("async", "amqp:user:secret@host")

    assert "secret" not in str(caught.value)


@given(st.text() | st.from_regex(r"[a-z+]{1,3}://[^?]{0,3}\?.{0,5}"))
def test_any_text_is_a_dsn_or_refused(text: str) -> None:
    try:
        dsn = dsns.parse("async", text)
    except ConfigError:
        return

    assert text.strip().lower().startswith(f"{dsn.scheme}://")


def test_an_unknown_option_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        dsns.check_options("async", Dsn("sqlite", "/m.db", {"queue": "q"}), ["queue_name", "busy"])

    assert str(caught.value) == (
        'transport "async": unknown option "queue"; did you mean "queue_name"? '
        "(known options are busy, queue_name)"
    )


def test_a_transport_without_options_says_so() -> None:
    with pytest.raises(ConfigError, match=r'unknown option "x" \(sync has none\)'):
        dsns.check_options("now", Dsn("sync", "", {"x": "1"}), [])


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("/var/m.db", "/root/app/var/m.db"),
        ("//var/m.db", "/var/m.db"),
        ("/a%20b.db", "/root/app/a b.db"),
    ],
)
def test_a_file_starts_from_the_root_or_is_absolute(rest: str, expected: str) -> None:
    assert dsns.file_of("async", Dsn("sqlite", rest, {}), Path("/root/app")) == Path(expected)


@pytest.mark.parametrize("rest", ["", "/", "var/m.db"])
def test_a_dsn_without_a_file_says_how_to_write_one(rest: str) -> None:
    with pytest.raises(ConfigError, match="names no file; write sqlite:///var/m"):
        dsns.file_of("async", Dsn("sqlite", rest, {}), Path("/"))


def test_a_database_in_memory_would_be_a_queue_that_nobody_shares() -> None:
    with pytest.raises(ConfigError, match="in-memory://"):
        dsns.file_of("async", Dsn("sqlite", "/:memory:", {}), Path("/"))


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("TRUE", True), ("on", True), ("no", False), ("", False)]
)
def test_a_flag_is_true_or_false(value: str, expected: bool) -> None:
    assert dsns.flag("async", Dsn("in-memory", "", {"serialize": value}), "serialize") is expected


def test_a_flag_that_is_neither_is_refused() -> None:
    with pytest.raises(ConfigError, match="serialize=maybe: write true or false"):
        dsns.flag("async", Dsn("in-memory", "", {"serialize": "maybe"}), "serialize")
