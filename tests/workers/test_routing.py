from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from workers.envelope import Envelope
from workers.message import lineage
from workers.routing import Routing, asked_for, is_wildcard, wildcards
from workers.stamps import TransportNames

from tests.support.messages import Order, SmsNotification

SMS = lineage(SmsNotification)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, ()),
        ({"other.Class": ["a"]}, ()),
        ({"tests.support.messages.SmsNotification": ["a"]}, ("a",)),
        ({"tests.support.messages.Event": ["a"]}, ("a",)),
        (
            {
                "tests.support.messages.Event": ["parent", "both"],
                "tests.support.messages.SmsNotification": ["own", "both"],
            },
            ("own", "both", "parent"),
        ),
        ({"*": ["rest"]}, ("rest",)),
        ({"*": ["rest"], "tests.support.messages.Event": ["a"]}, ("a",)),
        ({"*": ["rest"], "tests.*": ["far"], "tests.support.*": ["near"]}, ("near",)),
        ({"tests.sup*": ["a"]}, ()),
        ({"tests.support.messages.SmsNotification": []}, ()),
    ],
)
def test_the_rules_that_count(rules: dict[str, list[str]], expected: tuple[str, ...]) -> None:
    assert Routing(rules).transports(SMS) == expected


@pytest.mark.parametrize(
    "rule", [r"App\Message\Order", r"App\Message\*", r"App\*", "tests.support.messages.Order"]
)
def test_a_message_with_a_name_of_its_own_is_found_by_it_and_by_its_class(rule: str) -> None:
    assert Routing({rule: ["a"]}).transports(lineage(Order)) == ("a",)


def test_no_names_are_routed_by_the_last_resort_only() -> None:
    assert Routing({"*": ["a"]}).transports(()) == ("a",)


@given(st.text())
def test_wildcards_go_from_near_to_far_and_end_with_everything(name: str) -> None:
    found = list(wildcards(name))

    assert found[-1] == "*"
    assert all(is_wildcard(rule) and name.startswith(rule[:-1]) for rule in found)
    assert sorted(found, key=len, reverse=True) == found


def test_an_envelope_may_ask_for_other_transports() -> None:
    envelope = Envelope("message", (TransportNames(("a",)), TransportNames(("b", "c"))))

    assert asked_for(envelope) == ("b", "c")
    assert asked_for(Envelope("message")) is None
