from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st
from workers.errors import HandlerFailedError
from workers.stamps import (
    WIRE_STAMPS,
    BusName,
    Delay,
    ErrorDetails,
    Handled,
    Redelivery,
    SentToFailureTransport,
    TransportNames,
    WireStamp,
)

MOMENT = datetime(2026, 11, 20, 23, 30, 14, tzinfo=UTC)
SAMPLES: list[tuple[WireStamp, str, object]] = [
    (BusName("b"), "BusNameStamp", {"busName": "b"}),
    (Delay(1.085), "DelayStamp", {"delay": 1085}),
    (
        Redelivery(2, MOMENT),
        "RedeliveryStamp",
        {"retryCount": 2, "redeliveredAt": "2026-11-20T23:30:14+00:00"},
    ),
    (
        ErrorDetails("RuntimeException", 0, "no", None),
        "ErrorDetailsStamp",
        {
            "exceptionClass": "RuntimeException",
            "exceptionCode": 0,
            "exceptionMessage": "no",
            "flattenException": None,
        },
    ),
    (
        SentToFailureTransport("async"),
        "SentToFailureTransportStamp",
        {"originalReceiverName": "async"},
    ),
    (TransportNames(("a", "b")), "TransportNamesStamp", {"transportNames": ["a", "b"]}),
    (Handled("app.send"), "HandledStamp", {"result": None, "handlerName": "app.send"}),
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = SCALARS | st.lists(SCALARS, max_size=2) | st.just({"a": [1]}) | st.just(10**400)


@pytest.mark.parametrize(("stamp", "name", "wire"), SAMPLES, ids=lambda one: type(one).__name__)
def test_each_stamp_has_symfonys_class_and_form(
    stamp: WireStamp, name: str, wire: dict[str, object]
) -> None:
    assert stamp.php_class == f"Symfony\\Component\\Messenger\\Stamp\\{name}"
    assert stamp.to_wire() == wire
    assert type(stamp).from_wire(wire) == stamp


def test_every_stamp_that_travels_is_among_the_samples() -> None:
    assert {type(stamp) for stamp, _, _ in SAMPLES} == set(WIRE_STAMPS.values())
    assert all(kind.php_class == name for name, kind in WIRE_STAMPS.items())


@pytest.mark.parametrize("kind", WIRE_STAMPS.values())
def test_a_stamp_without_its_fields_is_refused(kind: type[WireStamp]) -> None:
    with pytest.raises((TypeError, ValueError)):
        kind.from_wire({"other": 1})


@pytest.mark.parametrize(("stamp", "name", "wire"), SAMPLES, ids=lambda one: type(one).__name__)
@given(data=st.data())
def test_a_stamp_with_wrong_values_is_read_or_refused(
    stamp: WireStamp, name: str, wire: dict[str, object], data: st.DataObject
) -> None:
    spoilt = {key: data.draw(JSON, label=key) for key in wire}

    try:
        read = type(stamp).from_wire(spoilt)
    except (TypeError, ValueError):
        return

    assert type(stamp).from_wire(json.loads(json.dumps(read.to_wire()))) is not None, name


@given(st.floats(0, 10**9))
def test_a_delay_on_the_wire_is_never_shorter(seconds: float) -> None:
    again = Delay.from_wire(Delay(seconds).to_wire())

    assert seconds - 1e-6 <= again.seconds <= seconds + 0.001


def test_a_whole_number_of_milliseconds_stays_what_it_is() -> None:
    assert [Delay(ms / 1000).to_wire()["delay"] for ms in range(3000)] == list(range(3000))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T23:30:14+00:00", MOMENT),
        ("2026-11-20T23:30:14Z", MOMENT),
        ("2026-11-20T23:30:14", MOMENT),
        (
            "2026-11-21T00:30:14+01:00",
            datetime(2026, 11, 21, 0, 30, 14, tzinfo=timezone(timedelta(hours=1))),
        ),
    ],
)
def test_a_redelivery_is_read_with_its_time_zone(text: str, moment: datetime) -> None:
    stamp = Redelivery.from_wire({"retryCount": 1, "redeliveredAt": text})

    assert stamp.redelivered_at == moment
    assert stamp.redelivered_at.tzinfo is not None


def test_error_details_name_the_first_failure_with_its_traceback() -> None:
    with pytest.raises(KeyError) as caught:
        dict[str, int]()["photo"]
    failures: dict[str, Exception] = {"app.first": caught.value, "app.second": OSError("x")}

    details = ErrorDetails.of(HandlerFailedError("app.Photo", failures))

    assert (details.exception, details.text) == ("KeyError", "'photo'")
    assert details.flat is not None
    assert details.flat["class"] == "KeyError"
    assert str(details.flat["file"]).endswith("test_stamps.py")
    assert "KeyError: 'photo'" in str(details.flat["trace_as_string"])


def test_error_details_of_an_error_that_was_never_raised() -> None:
    details = ErrorDetails.of(HandlerFailedError("app.Photo", {"app.first": OSError("gone")}).first)

    assert details.flat is not None
    assert details.flat["file"] == ""


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (ErrorDetails("E", 0, "text", {"line": 1}), True),
        (ErrorDetails("E", 1, "text"), False),
        (ErrorDetails("F", 0, "text"), False),
        (ErrorDetails("E", 0, "other"), False),
        (None, False),
    ],
)
def test_errors_are_the_same_wherever_they_were_raised(
    other: ErrorDetails | None, same: bool
) -> None:
    assert ErrorDetails("E", 0, "text").same_as(other) is same
