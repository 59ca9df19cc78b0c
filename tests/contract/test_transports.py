"""One suite for every transport: what the docstrings of ``workers.transports.base`` promise."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from workers.envelope import Envelope
from workers.errors import EncodeError
from workers.message import Undecodable
from workers.stamps import BusName, Delay, SerializedMessage, TransportMessageId
from workers.transports.base import RestartFlag, Stats, Watchable, message_id

from tests.support.messages import Order, SmsNotification
from tests.support.transports import MAKERS, House

FOREVER = 60.0  # seconds; the test itself is given up long before


@pytest.fixture(params=MAKERS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    house = House(request.param, tmp_path)
    yield house
    house.close()


def sms(content: str, *delays: float) -> Envelope:
    return Envelope(SmsNotification(content), tuple(Delay(seconds) for seconds in delays))


def contents(envelopes: object) -> list[str]:
    assert isinstance(envelopes, list | tuple)
    return [envelope.message.content for envelope in envelopes]


def test_what_is_sent_is_received_with_its_stamps_and_its_id(house: House) -> None:
    transport = house.transport()

    sent = transport.send(sms("hello").with_(BusName("b")))
    received = transport.get(10, 0)

    assert [envelope.message for envelope in received] == [SmsNotification("hello")]
    assert message_id(sent) is not None
    assert [message_id(envelope) for envelope in received] == [message_id(sent)]
    assert received[0].last(BusName) == BusName("b")
    assert sent.message == SmsNotification("hello")


def test_an_empty_queue_gives_nothing(house: House) -> None:
    assert list(house.transport().get(10, 0)) == []


def test_what_is_leased_is_hidden(house: House) -> None:
    transport = house.transport()
    transport.send(sms("one"))

    transport.get(10, 0)

    assert list(transport.get(10, 0)) == []


def test_messages_come_in_the_order_in_which_they_fell_due(house: House) -> None:
    transport = house.transport()
    for content, delay in [("third", 5), ("first", 0), ("second", 0), ("last", 9)]:
        transport.send(sms(content, delay))
    house.now += 20

    assert contents(transport.get(10, 0)) == ["first", "second", "third", "last"]


def test_get_gives_no_more_than_asked_for(house: House) -> None:
    transport = house.transport()
    for content in "abcde":
        transport.send(sms(content))

    assert contents(transport.get(2, 0)) == ["a", "b"]
    assert contents(transport.get(2, 0)) == ["c", "d"]
    assert contents(transport.get(2, 0)) == ["e"]


def test_a_delayed_message_is_never_early(house: House) -> None:
    transport = house.transport()
    transport.send(sms("later", 0, 10))  # the last stamp counts

    house.now += 9
    early = list(transport.get(10, 0))
    house.now += 2

    assert early == []
    assert contents(transport.get(10, 0)) == ["later"]


@pytest.mark.parametrize("settle", ["ack", "reject"])
def test_what_is_settled_is_gone_and_settling_again_is_no_error(house: House, settle: str) -> None:
    transport = house.transport()
    for content in "abc":
        transport.send(sms(content))
    taken = transport.get(10, 0)

    getattr(transport, settle)(*taken[:2])
    getattr(transport, settle)(taken[0])

    assert transport.stats() == Stats(0, in_hand=1)


def test_settling_nothing_is_no_error(house: House) -> None:
    transport = house.transport()

    transport.ack()
    transport.reject()
    transport.release()


def test_what_is_released_comes_again_in_its_old_place(house: House) -> None:
    transport = house.transport()
    for content in "ab":
        transport.send(sms(content))
    taken = transport.get(1, 0)

    transport.release(*taken)

    assert contents(transport.get(10, 0)) == ["a", "b"]


def test_what_is_no_longer_ours_cannot_be_given_back(house: House) -> None:
    transport = house.transport()
    transport.send(sms("done"))
    taken = transport.get(1, 0)
    transport.ack(*taken)

    transport.release(*taken)

    assert transport.stats() == Stats(0)


def test_a_retry_takes_the_place_of_the_original(house: House) -> None:
    transport = house.transport()
    transport.send(sms("again"))
    (original,) = transport.get(1, 0)

    sent = transport.replace(original, original.with_(Delay(5)))

    assert transport.stats() == Stats(0, delayed=1)
    assert message_id(sent) != message_id(original)
    house.now += 7
    (retried,) = transport.get(1, 0)
    assert retried.message == SmsNotification("again")
    assert retried.last(Delay) == Delay(5)
    assert len(retried.all(TransportMessageId)) == 1


def test_a_message_moves_to_another_transport(house: House) -> None:
    transport, failed = house.transport(), house.transport("failed")
    transport.send(sms("bad"))
    (original,) = transport.get(1, 0)

    transport.replace(original, original, failed)

    assert transport.stats() == Stats(0)
    assert contents(failed.get(10, 0)) == ["bad"]


def test_what_is_no_longer_ours_is_not_sent_again(house: House) -> None:
    transport = house.transport()
    transport.send(sms("done"))
    (original,) = transport.get(1, 0)
    transport.ack(original)

    transport.replace(original, original)

    assert transport.stats() == Stats(0)


def test_a_retry_that_cannot_be_written_leaves_the_original(house: House) -> None:
    transport = house.transport()
    transport.send(sms("kept"))
    (original,) = transport.get(1, 0)

    with pytest.raises(EncodeError):
        transport.replace(original, Envelope(SmsNotification(5)))  # type: ignore[arg-type]

    assert transport.stats() == Stats(0, in_hand=1)


def test_a_message_that_cannot_be_written_is_not_stored(house: House) -> None:
    transport = house.transport()

    with pytest.raises(EncodeError):
        transport.send(Envelope(SmsNotification(5)))  # type: ignore[arg-type]

    assert transport.stats() == Stats(0)


@pytest.mark.parametrize("body", ["{", "", "\x00", "[]", b"\xff\xfe", "O:36:x"])
def test_what_cannot_be_decoded_comes_with_its_bytes_and_the_next_one_after_it(
    house: House, body: str | bytes
) -> None:
    transport = house.transport()
    raw = SerializedMessage(body, {"type": "no.Such", "X-Mine": "1"})
    transport.send(Envelope(Undecodable(None, ""), (raw,)))
    transport.send(sms("good"))

    bad, good = transport.get(10, 0)

    assert isinstance(bad.message, Undecodable)
    assert bad.last(SerializedMessage) == raw
    assert good.message == SmsNotification("good")


def test_a_foreign_body_survives_a_retry_to_the_byte(house: House) -> None:
    transport = house.transport()
    body = '{ "content" : "\\u00e9",\n "more": 1.50 }'
    raw = SerializedMessage(body, {"type": "tests.support.messages.SmsNotification", "X-Mine": "1"})
    transport.send(Envelope(SmsNotification("é"), (raw,)))
    (first,) = transport.get(1, 0)

    transport.replace(first, first.with_(Delay(0)))
    (second,) = transport.get(1, 0)

    assert second.message == SmsNotification("é")
    assert second.last(SerializedMessage) == raw


def test_the_numbers_say_what_messages_wait_for(house: House) -> None:
    transport = house.transport()
    for delay in (0, 0, 0, 60):
        transport.send(sms("x", delay))
    transport.get(1, 0)

    assert transport.stats() == Stats(2, delayed=1, in_hand=1)
    assert transport.count() == 2


def test_a_transport_is_set_up_and_closed_as_often_as_you_like(house: House) -> None:
    transport = house.transport()

    transport.close()
    transport.setup()
    transport.setup()
    transport.close()
    transport.close()

    assert transport.place


def test_a_worker_that_names_itself_gets_what_is_there(house: House) -> None:
    transport = house.transport()
    transport.send(sms("hello"))

    transport.consume_as("host/messenger:00")

    assert contents(transport.get(1, 0)) == ["hello"]


def test_an_interrupt_before_the_wait_is_not_forgotten(house: House) -> None:
    transport = house.transport(real_time=True)

    transport.interrupt()

    assert list(transport.get(1, FOREVER)) == []


def test_an_interrupt_ends_a_wait(house: House) -> None:
    transport = house.transport(real_time=True)
    transport.get(1, 0)
    thread = threading.Timer(0.05, transport.interrupt)
    thread.start()

    assert list(transport.get(1, FOREVER)) == []

    thread.join()


def test_a_message_sent_meanwhile_ends_a_wait(house: House) -> None:
    transport = house.transport(real_time=True)
    other = transport if house.kind == "in-memory" else house.transport(real_time=True)
    transport.get(1, 0)
    thread = threading.Timer(0.05, other.send, [sms("now")])
    thread.start()

    assert contents(transport.get(1, FOREVER)) == ["now"]

    thread.join()


def test_a_delayed_message_ends_a_wait_when_it_falls_due(house: House) -> None:
    transport = house.transport(real_time=True)
    transport.send(sms("soon", 0.05))

    assert contents(transport.get(1, FOREVER)) == ["soon"]


def test_a_worker_of_several_sees_that_something_arrived(house: House) -> None:
    transport = house.transport(real_time=True)
    assert isinstance(transport, Watchable)
    fds = transport.wake_fds()
    transport.get(1, 0)
    due_in = transport.due_in()
    assert due_in is None or due_in >= 1

    transport.send(sms("now"))

    readable, _, _ = select.select(fds, [], [], FOREVER)
    assert readable
    assert contents(transport.get(10, 0)) == ["now"]


@pytest.mark.parametrize("house", [kind for kind in MAKERS if kind != "in-memory"], indirect=True)
def test_the_wish_to_stop_reaches_everyone_who_consumes_from_the_store(house: House) -> None:
    asking, working = house.transport(real_time=True), house.transport(real_time=True)
    assert isinstance(asking, RestartFlag)
    assert isinstance(working, RestartFlag)
    before = working.restart_requested_at()

    asking.request_restart(1_800_000_000.25)
    asking.request_restart(1_800_000_001.5)

    assert before is None
    assert working.restart_requested_at() == 1_800_000_001.5


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.integers(0, 3)),
            st.tuples(st.just("get"), st.integers(1, 3)),
            st.tuples(st.just("wait"), st.integers(1, 3)),
            st.tuples(st.sampled_from(["ack", "reject", "release", "replace"]), st.integers(0, 4)),
        )
    )
)
def test_no_history_loses_a_message_or_gives_it_twice(
    house: House, history: list[tuple[str, int]]
) -> None:
    transport = house.transport()
    gone = set[int]()
    held: list[Envelope] = []
    house.now += 100
    while left := transport.get(100, 0):  # what the example before left behind
        transport.ack(*left)
    sent = 0

    for action, number in history:
        if action == "send":
            transport.send(Envelope(Order(sent), (Delay(number),)))
            sent += 1
        elif action == "get":
            held += transport.get(number, 0)
        elif action == "wait":
            house.now += number
        elif held:
            envelope = held.pop(number % len(held))
            assert isinstance(envelope.message, Order)
            if action == "replace":
                transport.replace(envelope, envelope.with_(Delay(0)))
            else:
                getattr(transport, action)(envelope)
            gone |= {envelope.message.number} if action in ("ack", "reject") else set()

    house.now += 10
    rest = [*held, *transport.get(1000, 0)]
    numbers = [one.message.number for one in rest if isinstance(one.message, Order)]
    assert sorted([*numbers, *gone]) == list(range(sent))
    transport.ack(*rest)
