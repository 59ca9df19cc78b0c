"""What is raised on purpose, and the codes clients see."""

from __future__ import annotations

import pytest

from supervise.errors import (
    ConfigError,
    Fault,
    Refusal,
    ServerError,
    SpawnError,
    SuperviseError,
)


@pytest.mark.parametrize("kind", [ConfigError, SpawnError, ServerError, Refusal])
def test_whoever_catches_the_root_of_the_tree_catches_all(kind: type[Exception]) -> None:
    assert issubclass(kind, SuperviseError)


def test_the_problems_of_a_configuration_are_lines() -> None:
    raised = ConfigError(["a.conf:1: one", "a.conf:2: two"])

    assert raised.problems == ("a.conf:1: one", "a.conf:2: two")
    assert str(raised) == "a.conf:1: one\na.conf:2: two"


def test_a_refusal_says_its_fault_and_why_if_there_is_more_to_say() -> None:
    assert str(Refusal(Fault.BAD_NAME, "nobody")) == "BAD_NAME: nobody"
    assert str(Refusal(Fault.SHUTDOWN_STATE)) == "SHUTDOWN_STATE"
    assert Refusal(Fault.BAD_NAME, "nobody").fault is Fault.BAD_NAME
    assert Refusal(Fault.BAD_NAME, "nobody").text == "nobody"


def test_a_failed_spawn_is_told_in_words_and_has_a_fault() -> None:
    raised = SpawnError("can't find command 'x'", Fault.NO_FILE)

    assert (str(raised), raised.text, raised.fault) == (
        "can't find command 'x'",
        "can't find command 'x'",
        Fault.NO_FILE,
    )
    assert SpawnError("no").fault is Fault.SPAWN_ERROR


def test_the_numbers_of_the_faults_are_those_of_supervisor() -> None:
    assert {fault.name: int(fault) for fault in Fault} == {
        "UNKNOWN_METHOD": 1,
        "INCORRECT_PARAMETERS": 2,
        "BAD_ARGUMENTS": 3,
        "SIGNATURE_UNSUPPORTED": 4,
        "SHUTDOWN_STATE": 6,
        "BAD_NAME": 10,
        "BAD_SIGNAL": 11,
        "NO_FILE": 20,
        "NOT_EXECUTABLE": 21,
        "FAILED": 30,
        "ABNORMAL_TERMINATION": 40,
        "SPAWN_ERROR": 50,
        "ALREADY_STARTED": 60,
        "NOT_RUNNING": 70,
        "SUCCESS": 80,
        "ALREADY_ADDED": 90,
        "STILL_RUNNING": 91,
        "CANT_REREAD": 92,
    }
