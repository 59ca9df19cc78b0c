from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from supervise.config import toml

TEXT = '''\
# a comment with [program.not]
[supervisord]
logfile = """first
[program.not] = 1
"""
umask = 0o027

[program.web]
command = ["sh", "-c",
  "echo # no comment; = [x]"]
"numprocs" = 2
environment.A = "1"
environment = {} # never reached
'''.replace("environment = {} # never reached\n", "")


def test_every_section_and_key_knows_its_line() -> None:
    reading = toml.read(TEXT, "x.toml", "/x.toml", "/")

    assert reading.problems == []
    main, web = reading.sections
    assert (main.name, main.title, main.place) == ("supervisord", "[supervisord]", "x.toml:2")
    assert (web.name, web.title, web.place) == ("program:web", "[program.web]", "x.toml:8")
    assert {key: entry.line for key, entry in main.entries.items()} == {"logfile": 3, "umask": 6}
    assert {key: entry.line for key, entry in web.entries.items()} == {
        "command": 9,
        "numprocs": 11,
        "environment": 12,
    }
    assert web.entries["environment"].value == {"A": "1"}


def test_servers_have_a_name_or_none() -> None:
    text = '[unix_http_server]\nfile = "a"\n[inet_http_server.x]\nport = 1\n'

    names = [section.name for section in toml.read(text, "f", "/f", "/").sections]

    assert names == ["unix_http_server", "inet_http_server:x"]


def test_a_factory_may_be_quoted_or_dotted() -> None:
    text = '[rpcinterface.a]\n"supervisor.x" = "1"\n[rpcinterface.b]\nsupervisor.x = "1"\n'

    reading = toml.read(text, "f", "/f", "/")

    assert [list(section.entries) for section in reading.sections] == [["supervisor.x"]] * 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[program.a]\ncommand = yes\n", "f:2: not valid TOML: invalid value: 'command = yes'"),
        ("[a]\nb = 1\nb = 2\n", "f:3: not valid TOML: cannot overwrite a value: 'b = 2'"),
        ("x = 1\n", "f:1: x stands outside of a section"),
        ("x = " + "[" * 100_000, "f:1: nested too deeply"),
        ("\n[program]\na = 1\n", "f:3: a needs a section with a name, such as [program.NAME]"),
        (
            "[supervisord]\numask = 22\n",
            'f:2: umask = 22 would be decimal; write 0o22 or "22"',
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, problem: str) -> None:
    assert toml.read(text, "f", "/f", "/").problems == [problem]


VALUES = st.one_of(
    st.integers(-5, 5).map(str),
    st.text("ab#=[]{}'\n. ", max_size=8).map(lambda text: '"""' + text + 'x"""'),
    st.text("ab#=[]{}. ", max_size=8).map(lambda text: f"'{text}'"),
    st.just('[\n  1, # ]\n  "]",\n]'),
    st.just('{ a = "}", b = 1 }'),
)


@given(st.lists(st.tuples(VALUES, st.sampled_from(["", "  ", "# x = 1\n", "\n"])), max_size=6))
def test_the_line_of_a_key_is_where_it_stands(values: list[tuple[str, str]]) -> None:
    text, lines = "[program.a]\n", {}
    for number, (value, before) in enumerate(values):
        text += before
        lines[f"key{number}"] = text.count("\n") + 1
        text += f"key{number} = {value}\n"

    (section,) = toml.read(text, "f", "/f", "/").sections

    assert {key: entry.line for key, entry in section.entries.items()} == lines
