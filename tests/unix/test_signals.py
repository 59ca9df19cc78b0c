"""Signals by any of their names, and to nobody but who is meant."""

from __future__ import annotations

import signal

import pytest

from supervise.unix import signals


@pytest.mark.parametrize("name", ["TERM", "SIGTERM", "term", " sigterm ", "15", 15])
def test_one_signal_has_many_names(name: str | int) -> None:
    assert signals.number_of(name) == signal.SIGTERM


@pytest.mark.parametrize(
    "name", ["", "NOSUCH", "SIG_DFL", "DFL", "0", "9999", "-1", "1.5", "SIG", "²", "9" * 5000]
)
def test_what_is_no_signal_has_no_number(name: str) -> None:
    assert signals.number_of(name) is None


def test_every_number_has_a_name() -> None:
    assert signals.name_of(15) == "SIGTERM"
    assert signals.name_of(45) == "signal 45"


def test_a_signal_to_somebody_who_is_gone_is_no_error() -> None:
    gone = 2**22 - 1  # no pid is that high on a machine of ours

    assert not signals.send(gone, None, signal.SIGTERM)
    assert not signals.send(gone, None, signal.SIGTERM, group=True)


def test_what_was_held_back_arrives_when_it_is_let_through() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: came.append(number))
    try:
        signals.hold_back([signal.SIGUSR1])
        signal.raise_signal(signal.SIGUSR1)  # to this thread: the test may run beside others
        assert came == []

        signals.let_through()

        assert came == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)
        signals.let_through()
