from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from supervise.config.expand import ExpansionError, Names, expand, expand_all, varies

NAMES = Names(program_name="web", process_num=7, here="/etc", ENV_HOME="/root", ENV_SECRET="s3cret")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("%(program_name)s_%(process_num)02d", "web_07"),
        ("100%%", "100%"),
        ("%(ENV_HOME)s/x", "/root/x"),
        ("%(process_num)x %(program_name)-5s|", "7 web  |"),
        ("nothing", "nothing"),
    ],
)
def test_names_are_expanded_as_python_formats(text: str, meaning: str) -> None:
    assert expand(text, NAMES) == meaning


def test_unknown_names_are_all_listed_with_what_is_there_and_what_was_meant() -> None:
    with pytest.raises(ExpansionError) as caught:
        expand("%(program)s %(x)s %(here)s", NAMES)

    assert str(caught.value) == (
        "'%(program)s %(x)s %(here)s' contains names ('program', 'x') which cannot be expanded; "
        "available names: here, process_num, program_name, and ENV_X for each variable X that "
        "is set; did you mean %(program_name)s?"
    )


@pytest.mark.parametrize("text", ["date +%s", "%", "100%", "%(here)", "%(program_name)d", "%r%%"])
def test_a_percent_that_is_no_name_is_refused_and_shows_no_variable(text: str) -> None:
    with pytest.raises(ExpansionError, match=r"is badly formatted: .*; a literal % is written %%"):
        expand(text, NAMES)

    with pytest.raises(ExpansionError) as caught:
        expand(text, NAMES)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["%(process_num)09999d", "%(here).999999999s"])
def test_a_width_that_would_fill_the_memory_is_refused(text: str) -> None:
    with pytest.raises(ExpansionError, match="a width has at most three digits"):
        expand(text, NAMES)


def test_texts_inside_lists_and_tables_are_expanded_too() -> None:
    value = {"A": "%(program_name)s", "B": ["%(process_num)d", 5], "C": True}

    assert expand_all(value, NAMES) == {"A": "web", "B": ["7", 5], "C": True}


@given(st.text())
def test_doubling_every_percent_gives_the_text_back(text: str) -> None:
    assert expand(text.replace("%", "%%"), NAMES) == text


@given(st.text(st.sampled_from("ab%(here)sd ")))
def test_what_does_not_vary_expands_to_itself(text: str) -> None:
    if not varies(text):
        assert expand(text, NAMES) == text
