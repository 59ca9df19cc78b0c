from __future__ import annotations

import logging

import pytest
from workers.envelope import Envelope
from workers.worker.station import Station

from tests.support.flaky import Clock, FlakyTransport


class World:
    def __init__(self, *messages: str) -> None:
        self.clock = Clock()
        self.transport = FlakyTransport()
        self.station = Station(self.transport, self.clock)
        for message in messages:
            self.transport.send(Envelope(message))
        self.transport.calls.clear()


def test_a_store_in_trouble_is_asked_less_and_less_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World("a")
    world.transport.broken = {"get"}
    waits = []
    for _ in range(12):
        assert world.station.take(1) == ()
        waits.append(world.station.resting)
        world.clock.now += waits[-1]

    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5, 5, 5])
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "async cannot get" in caplog.text


def test_it_is_left_alone_until_its_time_and_then_works_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World("a")
    world.transport.broken = {"get"}
    world.station.take(1)
    world.transport.broken.clear()

    early = world.station.take(1)
    world.clock.now += world.station.resting
    taken = world.station.take(1)

    assert early == ()
    assert [envelope.message for envelope in taken] == ["a"]
    assert "transport async works again" in caplog.text
    assert world.station.resting == 0


def test_what_could_not_be_acknowledged_is_before_anything_new_is_taken() -> None:
    world = World("a", "b")
    (first,) = world.station.take(1)
    world.transport.broken = {"ack"}
    world.station.handled(first)
    world.station.settle()
    assert world.station.owes

    world.clock.now += world.station.resting
    assert world.station.take(1) == ()
    world.clock.now += world.station.resting
    world.transport.broken.clear()
    taken = world.station.take(1)

    assert [envelope.message for envelope in taken] == ["b"]
    assert [envelope.message for envelope in world.transport.acknowledged] == ["a"]
    assert not world.station.owes


def test_a_batch_gives_back_what_was_not_begun_in_its_order() -> None:
    world = World(*"abcd")
    with world.station.guarded(world.station.take(4)) as rest:
        world.station.handled(rest.popleft())

    assert [envelope.message for envelope in world.transport.acknowledged] == ["a"]
    assert [envelope.message for envelope in world.station.take(4)] == list("bcd")


def test_a_batch_that_breaks_is_given_back_too() -> None:
    world = World(*"ab")
    taken = world.station.take(2)

    def break_off() -> None:
        with world.station.guarded(taken) as rest:
            world.station.give_back([rest.popleft()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()

    assert [envelope.message for envelope in world.station.take(2)] == ["a", "b"]
