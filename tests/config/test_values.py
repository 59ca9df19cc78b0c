from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from supervise.config import values
from supervise.config.pairs import pairs
from supervise.core.spec import AUTO, AutoRestart, Backoff

ACCEPTED: list[tuple[Callable[[object], object], object, object]] = [
    *[(values.boolean, text, True) for text in ("yes", "TRUE", "on", "1", True)],
    *[(values.boolean, text, False) for text in ("No", "false", "OFF", "0", False)],
    (values.integer, " -7 ", -7),
    (values.at_least_zero, "-1", 0),
    (values.seconds, "0.5", 0.5),
    (values.seconds, 10, 10.0),
    (values.seconds, "-1", 0.0),
    (values.share, "0.25", 0.25),
    (values.byte_size, "52428800", 52428800),
    (values.byte_size, "50MB", 50 * 1024**2),
    (values.byte_size, "1 kb", 1024),
    (values.byte_size, "2Gb", 2 * 1024**3),
    (values.byte_size, 0, 0),
    (values.byte_size, "-1", 0),
    (values.octal, "022", 0o22),
    (values.octal, "0700", 0o700),
    (values.octal, 0o700, 0o700),
    (values.signal_number, "TERM", 15),
    (values.signal_number, "sigquit", 3),
    (values.signal_number, "9", 9),
    (values.signal_number, "0", 0),
    (values.signal_number, 10, 10),
    (values.strings, "a, b,", ("a", "b")),
    (values.strings, ["a", "b"], ("a", "b")),
    (values.patterns, "a/*.conf\n  b/*.toml", ("a/*.conf", "b/*.toml")),
    (values.patterns, ["with space/*.conf"], ("with space/*.conf",)),
    (values.exit_codes, "0, 2", (0, 2)),
    (values.exit_codes, [0, 255], (0, 255)),
    (values.exit_codes, 3, (3,)),
    (values.exit_codes, "", ()),
    (values.auto_restart, "Unexpected", AutoRestart.UNEXPECTED),
    (values.auto_restart, True, AutoRestart.ALWAYS),
    (values.auto_restart, "off", AutoRestart.NEVER),
    (values.backoff, "Exponential", Backoff.EXPONENTIAL),
    (values.log_file, "none", None),
    (values.log_file, "OFF", None),
    (values.log_file, "auto", AUTO),
    (values.log_file, "Syslog", values.SYSLOG),
    (values.log_file, "/var/log/x.log", "/var/log/x.log"),
    (values.log_level, "DEBUG", "debug"),
    (values.name, " web ", "web"),
    (values.plain, True, "true"),
    (values.plain, 8080, "8080"),
    (values.command, ["sh", "-c", "echo 'hi'; exit"], "sh -c 'echo '\"'\"'hi'\"'\"'; exit'"),
    (values.inet_address, "9001", ("", 9001)),
    (values.inet_address, 9001, ("", 9001)),
    (values.inet_address, "*:9001", ("", 9001)),
    (values.inet_address, ":9001", ("", 9001)),
    (values.inet_address, "LocalHost:9001", ("localhost", 9001)),
    (values.inet_address, "[::1]:9001", ("::1", 9001)),
    (values.fcgi_socket, "tcp://localhost:9002", "tcp://localhost:9002"),
    (values.fcgi_socket, "unix:///run/x.sock", "unix:///run/x.sock"),
    (values.backlog, "128", 128),
]

REFUSED: list[tuple[Callable[[object], object], object, str]] = [
    (values.boolean, "perhaps", "not a valid boolean value: 'perhaps'; say true or false"),
    (values.integer, "soon", "not a whole number: 'soon'"),
    (values.integer, True, "not a whole number: True"),
    (values.integer, 1.5, "not a whole number: 1.5"),
    (values.seconds, "soon", "not a number of seconds: 'soon'; write 10 or 0.5"),
    (values.seconds, "inf", "not a number of seconds: 'inf'; write 10 or 0.5"),
    (values.seconds, "nan", "not a number of seconds: 'nan'; write 10 or 0.5"),
    (values.share, "2", "not a number from 0 to 1: '2'"),
    (values.byte_size, "5TB", "not a size: '5TB'; write 52428800 or 50MB (KB, MB, GB)"),
    (values.octal, "089", "not an octal number: '089'; write 022 or 0700"),
    (values.signal_number, "STOPP", "no signal is called 'STOPP'; write TERM, QUIT, 9 ..."),
    (values.signal_number, "99", "there is no signal 99; they go up to 64"),
    (values.exit_codes, "0,256", "not an exit code: '256'; write 0,2 (each from 0 to 255)"),
    (values.auto_restart, "x", "invalid value 'x'; say true, false or unexpected"),
    (values.backoff, "fast", "invalid value 'fast'; say linear or exponential"),
    (values.name, "a b", "Invalid name: 'a b' because of character: ' '"),
    (values.name, "a:b", "Invalid name: 'a:b' because of character: ':'"),
    (values.name, "a\nb", "Invalid name: 'a\\nb' because of character: '\\n'"),
    (values.name, "", "a name cannot be empty"),
    (values.plain, "a\0b", "a NUL character cannot be part of it"),
    (values.plain, ["a"], "not a text: ['a']"),
    (
        values.inet_address,
        "localhost",
        (
            "not an address: 'localhost'; write 127.0.0.1:9001, [::1]:9001, *:9001 or 9001 "
            "(port 1 to 65535)"
        ),
    ),
    (
        values.fcgi_socket,
        "unix://relative",
        "bad socket 'unix://relative'; write tcp://host:port or unix:///absolute/path",
    ),
    (values.backlog, "0", "Invalid socket_backlog value 0; from 1 to 65535"),
    (
        pairs,
        "A=",
        'Unexpected end of key/value pairs in value \'A=\'; write KEY="value",KEY2="value2"',
    ),
]


@pytest.mark.parametrize(("take", "value", "meaning"), ACCEPTED)
def test_what_is_accepted_means_what_supervisord_makes_of_it(
    take: Callable[[object], object], value: object, meaning: object
) -> None:
    taken = take(value)

    assert taken == meaning
    assert type(taken) is type(meaning)


@pytest.mark.parametrize(("take", "value", "text"), REFUSED)
def test_what_is_refused_is_named_with_what_would_be_right(
    take: Callable[[object], object], value: object, text: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        take(value)

    assert str(caught.value) == text


# The right side is what supervisord 4.3.0 gave for the left one.
PAIRS = {
    "": {},
    'A="1"': {"A": "1"},
    "A='1',B=2": {"A": "1", "B": "2"},
    'A="x, y", B="p=q"': {"A": "x, y", "B": "p=q"},
    'A="1",\n  B="2",': {"A": "1", "B": "2"},
    "PATH=/usr/bin:/bin,URL=http://h:80/x-y(z)": {
        "PATH": "/usr/bin:/bin",
        "URL": "http://h:80/x-y(z)",
    },
    'A=""': {"A": ""},
    'A="it\'s"': {"A": "it's"},
    "A=\"'x'\"": {"A": "x"},
    'A="C:\\dir\\"': {"A": "C:\\dir\\"},
    'A="a\\\\b",B="c"': {"A": "a\\\\b", "B": "c"},
    'A="#1"': {"A": "#1"},
    'A="two\nlines"': {"A": "two\nlines"},
}


@pytest.mark.parametrize("text", PAIRS)
def test_an_environment_is_read_as_supervisord_reads_it(text: str) -> None:
    assert pairs(text) == PAIRS[text]


def test_what_only_the_next_supervisord_understands_is_read_its_way() -> None:
    assert pairs(r'A="say \"hi\"",B=x\ y') == {"A": 'say "hi"', "B": "x y"}


def test_a_table_of_toml_is_an_environment() -> None:
    assert pairs({"A": "x,y", "PORT": 80, "DEBUG": True}) == {
        "A": "x,y",
        "PORT": "80",
        "DEBUG": "true",
    }


KEYS = st.text(string.ascii_letters + "_", min_size=1, max_size=5)
QUOTED = st.text(
    st.characters(exclude_characters='"\0\\', exclude_categories=["Cs"]), max_size=12
).filter(lambda text: text == text.strip("'"))


@given(st.dictionaries(KEYS, QUOTED, max_size=5))
def test_what_stands_in_double_quotes_comes_out_as_it_is(environment: dict[str, str]) -> None:
    text = ",".join(f'{key}="{value}"' for key, value in environment.items())

    assert pairs(text) == environment
