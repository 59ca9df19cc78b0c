from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st
from workers.envelope import Envelope, Stamp
from workers.errors import MessageError
from workers.message import Undecodable
from workers.serializer import RAW_HEADERS, STAMP_PREFIX, Serializer
from workers.stamps import (
    BusName,
    ConsumedByWorker,
    Delay,
    ErrorDetails,
    Handled,
    Received,
    Redelivery,
    SentToFailureTransport,
    SerializedMessage,
    TransportMessageId,
    TransportNames,
    WireStamp,
)

from tests.support.messages import Order, SmsNotification, serializer

PHP = "X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\"
SMS = "tests.support.messages.SmsNotification"
NAMES = st.text(max_size=5)
WIRE_STAMPS = st.lists(
    st.one_of(
        st.builds(BusName, NAMES),
        st.builds(Delay, st.integers(0, 10**9).map(lambda ms: ms / 1000)),
        st.builds(
            Redelivery,
            st.integers(0, 99),
            st.datetimes(timezones=st.just(UTC)).map(lambda one: one.replace(microsecond=0)),
        ),
        st.builds(ErrorDetails, NAMES, st.integers(0, 9) | NAMES, NAMES, st.none()),
        st.builds(SentToFailureTransport, NAMES),
        st.builds(TransportNames, st.lists(NAMES, max_size=3).map(tuple)),
        st.builds(Handled, NAMES),
    ),
    max_size=6,
)


@pytest.fixture
def json_serializer() -> Serializer:
    return serializer()


def test_a_fresh_message_is_written_as_symfony_writes_it(json_serializer: Serializer) -> None:
    envelope = Envelope(Order(1), (BusName("messenger.bus.default"), Delay(90)))

    encoded = json_serializer.encode(envelope)

    assert encoded.body == '{"number":1,"price":1.0,"lines":[],"tags":{}}'
    assert encoded.headers_json == (
        r'{"type":"App\\Message\\Order",'
        r'"X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\BusNameStamp":'
        r'"[{\"busName\":\"messenger.bus.default\"}]",'
        r'"X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\DelayStamp":'
        r'"[{\"delay\":90000}]","Content-Type":"application\/json"}'
    )


def test_a_message_with_nothing_but_a_type_is_read(json_serializer: Serializer) -> None:
    envelope = json_serializer.decode('{"content":"x"}', json.dumps({"type": SMS}))

    assert envelope.message == SmsNotification("x")


def test_a_failed_message_of_symfony_is_read_with_its_history(json_serializer: Serializer) -> None:
    flat = {"message": "no", "code": 0, "headers": [], "class": "E", "trace": [{"line": 19}]}
    headers = {
        "type": SMS,
        PHP + "BusNameStamp": '[{"busName":"messenger.bus.default"}]',
        PHP + "TransportMessageIdStamp": '[{"id":1},{"id":2}]',
        PHP + "ErrorDetailsStamp": json.dumps(
            [
                {
                    "exceptionClass": "RuntimeException",
                    "exceptionCode": 0,
                    "exceptionMessage": "Handler says no",
                    "flattenException": flat,
                }
            ]
        ),
        PHP + "DelayStamp": '[{"delay":1085},{"delay":0}]',
        PHP + "RedeliveryStamp": '[{"retryCount":1,"redeliveredAt":"2026-11-20T23:30:14+00:00",'
        '"exceptionMessage":null,"flattenException":null},'
        '{"retryCount":0,"redeliveredAt":"2026-11-20T23:30:16+00:00"}]',
        PHP + "SentToFailureTransportStamp": '[{"originalReceiverName":"async"}]',
        "Content-Type": "application/json",
    }

    envelope = json_serializer.decode('{"content":"x"}', headers, TransportMessageId(3))

    moments = [datetime(2026, 11, 20, 23, 30, second, tzinfo=UTC) for second in (14, 16)]
    assert envelope.all(Redelivery) == (Redelivery(1, moments[0]), Redelivery(0, moments[1]))
    assert envelope.all(Delay) == (Delay(1.085), Delay(0))
    assert envelope.last(SentToFailureTransport) == SentToFailureTransport("async")
    assert envelope.all(TransportMessageId) == (TransportMessageId(3),)
    details = envelope.last(ErrorDetails)
    assert details is not None
    assert details.flat == flat


@given(WIRE_STAMPS, st.booleans())
def test_stamps_that_travel_arrive_grouped_by_class(stamps: list[WireStamp], text: bool) -> None:
    json_serializer = serializer()
    private = (Received("async"), ConsumedByWorker())

    encoded = json_serializer.encode(Envelope(Order(1), (*stamps, *private)))
    headers = encoded.headers_json if text else encoded.headers
    envelope = json_serializer.decode(encoded.body, headers)

    assert envelope.message == Order(1)
    for kind in {type(stamp) for stamp in stamps}:
        assert envelope.all(kind) == tuple(one for one in stamps if type(one) is kind)
    assert envelope.without(Received, ConsumedByWorker) == envelope


HEADERS = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name != "type")
    | st.text(max_size=5).map(lambda name: f"{STAMP_PREFIX}App\\Stamp\\{name}"),
    st.text(max_size=10) | st.integers() | st.none(),
    max_size=4,
)


@given(HEADERS, st.text(st.characters(exclude_categories=["Cs"])), WIRE_STAMPS)
def test_what_is_not_ours_is_sent_again_to_the_byte(
    foreign: dict[str, object], content: str, stamps: list[WireStamp]
) -> None:
    json_serializer = serializer()
    body = json.dumps({"extra": 1, "content": content}, indent=3)

    received = json_serializer.decode(body, {"type": SMS, **foreign})
    again = json_serializer.encode(received.with_(*stamps))

    assert received.message == SmsNotification(content)
    assert again.body == body
    assert {"type": SMS, **foreign}.items() <= again.headers.items()


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        ("{}", "nonsense", "its headers are not JSON"),
        ("{}", b"\xff", "its headers are not JSON"),
        ("{}", "[" * 100_000, "its headers are not JSON"),
        ("{}", "[1]", "its headers are not a JSON object"),
        ("{}", "{}", 'it has no header "type"'),
        (b"{}", '{"type": 3}', 'it has no header "type"'),
        (r"O:36:\"Symfony", "[]", "PHP's own serializer"),
        (b"O:36:x", "[]", "messenger.transport.symfony_serializer"),
        ("{}", '{"type": "app.Gone"}', 'no message is called "app.Gone"'),
        ("{}", json.dumps({"type": SMS}), "content: Field required"),
        (b"\xff", json.dumps({"type": SMS}), "cannot be read"),
        (
            '{"content":"x"}',
            json.dumps({"type": SMS, PHP + "DelayStamp": "[{}]"}),
            "DelayStamp cannot be read: delay is None",
        ),
        ('{"content":"x"}', {"type": SMS, PHP + "DelayStamp": 5}, "it is a int, not a JSON text"),
        (
            '{"content":"x"}',
            {"type": SMS, PHP + "DelayStamp": "[[]]"},
            "it is not a JSON array of objects",
        ),
    ],
)
def test_what_cannot_be_decoded_says_why_and_can_be_sent_on(
    json_serializer: Serializer,
    body: str | bytes,
    headers: str | bytes | dict[str, object],
    reason: str,
) -> None:
    envelope = json_serializer.decode(body, headers)

    assert isinstance(envelope.message, Undecodable)
    assert reason in envelope.message.reason
    aside = json_serializer.encode(envelope.with_(SentToFailureTransport("async")))
    assert aside.body == body
    assert aside.headers[PHP + "SentToFailureTransportStamp"] == (
        '[{"originalReceiverName":"async"}]'
    )
    if isinstance(headers, dict):
        assert headers.items() <= aside.headers.items()


def test_headers_that_are_not_json_travel_along_for_people(json_serializer: Serializer) -> None:
    envelope = json_serializer.decode("{}", b"\xffnonsense")

    raw = envelope.last(SerializedMessage)

    assert raw is not None
    assert raw.headers == {RAW_HEADERS: "\\xffnonsense"}


def test_an_unreadable_stamp_is_replaced_when_we_have_a_newer_one(
    json_serializer: Serializer,
) -> None:
    name = PHP + "DelayStamp"
    envelope = json_serializer.decode('{"content":"x"}', {"type": SMS, name: "garbage"})

    assert json_serializer.encode(envelope).headers[name] == "garbage"
    assert json_serializer.encode(envelope.with_(Delay(1))).headers[name] == '[{"delay":1000}]'


def test_a_stamp_that_was_taken_away_is_not_sent_again(json_serializer: Serializer) -> None:
    headers = {"type": SMS, PHP + "TransportNamesStamp": '[{"transportNames":["a"]}]'}
    envelope = json_serializer.decode('{"content":"x"}', headers).without(TransportNames)

    assert json_serializer.encode(envelope).headers == {"type": SMS}


def test_long_headers_are_read_like_short_ones(json_serializer: Serializer) -> None:
    headers = json.dumps({"type": SMS, "X-Long": "x" * 5_000})

    assert json_serializer.decode('{"content":"x"}', headers).message == SmsNotification("x")


def test_a_class_that_cannot_be_a_message_is_not_written(json_serializer: Serializer) -> None:
    with pytest.raises(MessageError):
        json_serializer.encode(Envelope(object()))


GARBAGE = st.text() | st.binary() | st.sampled_from(["{}", "[]", "null", '{"type":[]}', "NaN"])
ODD_HEADERS = st.dictionaries(
    st.sampled_from(["type", "x", PHP + "DelayStamp", PHP + "RedeliveryStamp", PHP + "Handled"]),
    st.none() | st.integers() | st.text() | st.sampled_from([SMS, "[{}]", "[1e999]", "[[[["]),
)


@given(GARBAGE, GARBAGE | ODD_HEADERS, st.lists(st.builds(TransportMessageId, st.integers())))
def test_no_garbage_raises_and_none_of_it_is_lost(
    body: str | bytes, headers: str | bytes | dict[str, object], stamps: list[Stamp]
) -> None:
    json_serializer = serializer()

    envelope = json_serializer.decode(body, headers, *stamps)

    assert json_serializer.encode(envelope).body == body
    assert envelope.all(TransportMessageId) == tuple(stamps)
    json.loads(json_serializer.encode(envelope).headers_json)
