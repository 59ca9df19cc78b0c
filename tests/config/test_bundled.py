"""The bundled configuration: the same in both languages, and without a complaint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from supervise.config.load import load
from supervise.core.spec import Plan

ETC = Path(__file__).resolve().parents[2] / "etc"


def _plan(name: str) -> Plan:
    return replace(load(str(ETC / name), cwd=str(ETC.parent)), sources=())


def test_both_languages_say_the_same() -> None:
    assert _plan("superd.toml") == _plan("supervisord.conf")


@pytest.mark.parametrize("name", ["superd.toml", "supervisord.conf"])
def test_there_is_nothing_to_warn_of(name: str) -> None:
    assert _plan(name).warnings == ()


def test_the_consumers_are_those_of_the_symfony_documentation() -> None:
    (group,) = _plan("superd.toml").groups

    assert group.name == "messenger-consume"
    assert [spec.name for spec in group.processes] == [
        "messenger-consume_00",
        "messenger-consume_01",
    ]
    assert {spec.command for spec in group.processes} == {
        "messenger consume async --time-limit=3600"
    }
