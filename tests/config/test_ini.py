from __future__ import annotations

import configparser
import string

import pytest
from hypothesis import example, given, strategies as st

from supervise.config import ini
from supervise.config.section import Findings, Section, merge


def sections_of(text: str) -> dict[str, Section]:
    reading = ini.read(text, "x.conf", "/x.conf", "/")
    assert reading.problems == []
    return merge(reading.sections, Findings())


def as_text(sections: dict[str, Section]) -> dict[str, dict[str, object]]:
    return {
        name: {key: entry.value for key, entry in section.entries.items()}
        for name, section in sections.items()
        if name != "DEFAULT"
    }


def by_configparser(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
    parser.read_string(text)
    return {name: dict(parser.items(name)) for name in parser.sections()}


# One comment character a file: with both on one line Pythons differ among each other.
PIECES = st.sampled_from(["a", "B", "key", "=", ":", " ", "  ", "\t", "%", '"', "x y", "[s]", "é"])


@st.composite
def files(draw: st.DrawFn) -> str:
    comment = draw(st.sampled_from([";", "#"]))
    loose = st.lists(st.one_of(PIECES, st.just(comment)), max_size=8).map("".join)
    header = st.sampled_from(
        ["[s]", "[program:a]", "[DEFAULT]", "  [s]", f"[t] {comment}x", "[s]]"]
    )
    key = st.text(string.ascii_letters, min_size=1, max_size=3)
    option = st.tuples(st.sampled_from(["", " ", "   "]), key, st.sampled_from("=:"), loose)
    line = st.one_of(header, option.map("".join), loose, st.just(""))
    return "\n".join([draw(header), *draw(st.lists(line, max_size=12))])


@given(files())
@example("[s]\na=1\n  2\n\n  3 ;x\n  ;y\n  4\nb=2")
@example("[s]\n  a=1\n b=2\n   c=3")
@example("[DEFAULT]\na=1\n[s]\na=2\n[t]\n[s]\nA:3")
def test_every_file_means_what_configparser_makes_of_it(text: str) -> None:
    try:
        expected = by_configparser(text)
    except configparser.Error:
        assert ini.read(text, "x.conf", "/x.conf", "/").problems
        return

    assert as_text(sections_of(text)) == expected


def test_every_section_and_key_knows_its_line() -> None:
    text = "; first\n[program:a] ; behind a header\n\ncommand=x\n  --more\nNumProcs = 2 # two\n"

    section = sections_of(text)["program:a"]

    assert section.place == "x.conf:2"
    assert section.place_of("command") == "x.conf:4"
    assert section.place_of("numprocs") == "x.conf:6"
    assert section.entries["command"].value == "x\n--more"
    assert section.entries["numprocs"].value == "2"


def test_comments_need_white_space_before_them_even_in_quotes() -> None:
    section = sections_of('[s]\na=x#y;z\nb=x "p # q"\n')["s"]

    assert section.entries["a"].value == "x#y;z"
    assert section.entries["b"].value == 'x "p'


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("command=x\n[s]\n", ["x.conf:1: 'command=x' stands before the first [section]"]),
        (
            "[s]\nno delimiter\n  more of it\na=1\n=2\n",
            [
                "x.conf:2: 'no delimiter' is not a section and not key=value",
                "x.conf:5: '=2' is not a section and not key=value",
            ],
        ),
    ],
)
def test_what_is_neither_section_nor_option_is_named_with_its_line(
    text: str, problems: list[str]
) -> None:
    assert ini.read(text, "x.conf", "/x.conf", "/").problems == problems


def test_a_program_said_twice_is_merged_with_a_warning() -> None:
    findings = Findings()
    reading = ini.read("[program:a]\ncommand=x\n[program:a]\ncommand=y\n", "f", "/f", "/")

    merged = merge(reading.sections, findings)

    assert merged["program:a"].entries["command"].value == "y"
    assert findings.warnings == [
        "f:3: [program:a]: there is one already at f:1; they are merged and the last value counts"
    ]
