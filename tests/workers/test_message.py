from __future__ import annotations

import json
from dataclasses import dataclass, field, make_dataclass

import pytest
from hypothesis import given, strategies as st
from pydantic import BaseModel, Field
from workers.envelope import Envelope
from workers.errors import ConfigError, DecodeError, EncodeError, MessageError
from workers.message import (
    Codec,
    Messages,
    Undecodable,
    as_message,
    is_message,
    label,
    lineage,
    name_of,
)

from tests.support.messages import KINDS, Order, Photo, Picky, SmsNotification

TEXT = st.text(st.characters(exclude_categories=["Cs"]))  # no halves of surrogate pairs
ORDERS = st.builds(
    Order,
    number=st.integers(-(2**63), 2**63),
    price=st.floats(allow_nan=False, allow_infinity=False),
    lines=st.lists(TEXT, max_size=3).map(tuple),
    tags=st.dictionaries(TEXT, TEXT, max_size=2),
)


class Plain:
    pass


class Invoice(BaseModel):
    order_id: int = Field(alias="orderId")


class _MainLike:
    pass


_MainLike.__module__ = "__main__"


def test_a_message_is_called_after_its_module_and_class() -> None:
    assert name_of(SmsNotification) == "tests.support.messages.SmsNotification"


def test_a_name_on_the_wire_is_not_inherited() -> None:
    class Child(Order):
        pass

    assert name_of(Order) == r"App\Message\Order"
    assert name_of(Child).endswith(".Child")


def test_a_class_of_the_started_script_is_refused_with_the_reason() -> None:
    with pytest.raises(MessageError, match=r"_MainLike is defined in the script.*__main__.*module"):
        name_of(_MainLike)


@pytest.mark.parametrize("name", ["", " a", "a\n", "\x00"])
def test_a_name_that_nobody_could_read_is_refused(name: str) -> None:
    with pytest.raises(MessageError):
        as_message(name)


def test_routing_knows_a_class_by_every_name_it_has() -> None:
    assert lineage(SmsNotification) == (
        "tests.support.messages.SmsNotification",
        "tests.support.messages.Event",
    )
    assert lineage(Order) == (r"App\Message\Order", "tests.support.messages.Order")


@pytest.mark.parametrize(
    ("thing", "expected"),
    [(SmsNotification, True), (Photo, True), (Plain, False), (SmsNotification("x"), False)],
)
def test_what_is_a_message(thing: object, expected: bool) -> None:
    assert is_message(thing) is expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Order(1), r"App\Message\Order"),
        (Undecodable("app.Gone", "reason"), "app.Gone"),
        (Undecodable(None, "reason"), "(no type)"),
    ],
)
def test_people_see_the_name_on_the_wire(message: object, expected: str) -> None:
    assert label(Envelope(message)) == expected


def test_a_class_that_is_neither_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(MessageError, match="Plain cannot be sent: it is neither a dataclass"):
        Codec(Plain)


def test_an_annotation_without_json_is_refused() -> None:
    with pytest.raises(MessageError, match="cannot be sent"):
        Codec(make_dataclass("Odd", [("value", Plain)]))


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (SmsNotification("hello 1"), '{"content":"hello 1"}'),
        (SmsNotification('é/ü 💥 "q" 1.0'), r'{"content":"\u00e9\/\u00fc \ud83d\udca5 \"q\" 1.0"}'),
        (SmsNotification("\\/\n\t\x00"), r'{"content":"\\\/\n\t\u0000"}'),
        (Order(1, 1.0), '{"number":1,"price":1.0,"lines":[],"tags":{}}'),
        (Photo(path="/a"), r'{"path":"\/a","width":null}'),
    ],
)
def test_bodies_are_written_as_php_writes_them(message: object, body: str) -> None:
    codec = Codec(type(message))

    assert codec.dump(message) == body
    assert codec.load(body) == message
    assert codec.load(body.encode()) == message


@given(ORDERS)
def test_what_is_written_is_read_again(order: Order) -> None:
    codec = Codec(Order)

    body = codec.dump(order)

    assert body.isascii()
    assert codec.load(body) == order


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (SmsNotification(5), "content"),  # type: ignore[arg-type]
        (SmsNotification("\ud800"), "surrogates not allowed"),
        (Order(1, float("nan")), "not JSON compliant"),
        (Order(1, tags={"a": 1}), "tags"),  # type: ignore[dict-item]
    ],
)
def test_a_value_that_nobody_could_read_is_not_written(message: object, reason: str) -> None:
    with pytest.raises(EncodeError, match=reason):
        Codec(type(message)).dump(message)


def test_a_property_may_have_another_name_on_the_wire() -> None:
    codec = Codec(Invoice)

    assert codec.dump(Invoice(orderId=7)) == '{"orderId":7}'
    assert codec.load('{"orderId":7}') == Invoice(orderId=7)


def test_an_unknown_property_is_ignored_and_a_missing_one_takes_its_default() -> None:
    assert Codec(Order).load('{"number": 3, "colour": "red"}') == Order(3)
    assert Codec(Photo).load('{"path": "p", "x": {}}') == Photo(path="p")


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (Order, "{}", "number: Field required"),
        (Order, '{"number": "secret"}', "number: Input should be a valid integer"),
        (Order, '{"number": 1, "lines": [2]}', r"lines\.0: Input should be a valid string"),
        (Order, '{"number":', "Invalid JSON"),
        (SmsNotification, "[" * 100_000, "Invalid JSON"),
        (Picky, '{"value": -1}', "KeyError: -1"),
    ],
)
def test_what_cannot_be_read_says_why_and_not_what_was_in_it(
    kind: type, body: str, reason: str
) -> None:
    with pytest.raises(DecodeError, match=reason) as caught:
        Codec(kind).load(body)

    assert "secret" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", KINDS)
@given(body=JSON.map(json.dumps) | st.text() | st.binary())
def test_no_body_does_more_than_fail_to_decode(kind: type, body: str | bytes) -> None:
    codec = Codec(kind)

    try:
        message = codec.load(body)
    except DecodeError:
        return

    assert isinstance(message, kind)


def test_a_type_that_is_not_known_is_not_imported() -> None:
    messages = Messages(lambda: KINDS)

    with pytest.raises(DecodeError, match=r'called "antigravity\.Fly".*import'):
        messages.codec("antigravity.Fly")


def test_a_type_that_is_almost_known_gets_a_hint() -> None:
    messages = Messages(lambda: KINDS)

    with pytest.raises(DecodeError, match=r'did you mean "tests\.support\.messages\.Photo"'):
        messages.codec("tests.support.messages.Foto")


def test_a_known_type_that_cannot_be_a_message_is_a_decode_error() -> None:
    messages = Messages(lambda: [Plain])

    with pytest.raises(DecodeError, match="neither a dataclass"):
        messages.codec(name_of(Plain))


def test_two_classes_of_one_name_are_refused() -> None:
    @as_message(r"App\Message\Order")
    @dataclass
    class Other:
        number: int = field(default=1)

    with pytest.raises(ConfigError, match="two messages are called"):
        Messages(lambda: [Order, Order, Other]).codec("x")


def test_classes_are_collected_once_and_codecs_made_once() -> None:
    calls: list[int] = []

    def collect() -> tuple[type, ...]:
        calls.append(1)
        return KINDS

    messages = Messages(collect)

    assert messages.codec(r"App\Message\Order") is messages.codec_of(Order)
    assert messages.codec(name_of(Photo)) is messages.codec(name_of(Photo))
    assert len(calls) == 1
