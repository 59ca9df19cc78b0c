from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, strategies as st
from workers.envelope import Envelope, Stamp
from workers.stamps import BusName, Delay, Handled, Received

STAMPS = st.lists(
    st.one_of(
        st.builds(Delay, st.floats(0, 100)),
        st.builds(BusName, st.text(max_size=3)),
        st.builds(Received, st.text(max_size=3)),
    )
).map(tuple)
KINDS = st.sampled_from([Delay, BusName, Received, Handled, Stamp])


@given(STAMPS, STAMPS)
def test_stamps_are_added_behind_and_nothing_is_changed(
    first: tuple[Stamp, ...], second: tuple[Stamp, ...]
) -> None:
    before = Envelope("message", first)

    after = before.with_(*second)

    assert before.stamps == first
    assert after == Envelope("message", first + second)


@given(STAMPS, KINDS)
def test_the_last_of_a_kind_is_the_newest_of_all_of_them(
    stamps: tuple[Stamp, ...], kind: type[Stamp]
) -> None:
    envelope = Envelope("message", stamps)

    assert envelope.last(kind) == (envelope.all(kind)[-1] if envelope.all(kind) else None)
    assert envelope.all(kind) == tuple(stamp for stamp in stamps if isinstance(stamp, kind))


@given(STAMPS, KINDS, KINDS)
def test_what_is_taken_away_is_gone_and_the_rest_stays_in_order(
    stamps: tuple[Stamp, ...], one: type[Stamp], other: type[Stamp]
) -> None:
    after = Envelope("message", stamps).without(one, other)

    assert after.last(one) is after.last(other) is None
    assert after.stamps == tuple(stamp for stamp in stamps if not isinstance(stamp, (one, other)))


def test_an_envelope_without_a_change_is_itself() -> None:
    envelope = Envelope("message", (Delay(1),))

    assert envelope.with_() is envelope
    assert envelope.without(BusName) is envelope


def test_wrapping_an_envelope_adds_to_it() -> None:
    envelope = Envelope.wrap("message", Delay(1))

    assert Envelope.wrap(envelope, Delay(2)) == Envelope("message", (Delay(1), Delay(2)))


def test_an_envelope_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Envelope("message").message = "other"  # type: ignore[misc]
