"""What the contract suite does not say: the transports that keep nothing, or not for long."""

from __future__ import annotations

import select
from pathlib import Path

import pytest
from workers.envelope import Envelope
from workers.errors import TransportError
from workers.stamps import Delay, Received
from workers.transports.base import Stats
from workers.transports.memory import MemoryTransport
from workers.transports.sync import SyncTransport

FDS = Path("/proc/self/fd")


def test_sync_hands_a_message_on_as_received_from_itself() -> None:
    transport = SyncTransport("now", lambda envelope: envelope)

    assert transport.send(Envelope("x")).last(Received) == Received("now")


def test_sync_has_nothing_to_consume() -> None:
    transport = SyncTransport("now", lambda envelope: envelope)

    with pytest.raises(TransportError, match='transport "now" is sync://'):
        transport.get(1, 0)
    assert transport.stats() == Stats(0)
    assert transport.count() == 0


def test_settling_what_sync_never_kept_does_nothing() -> None:
    transport = SyncTransport("now", lambda envelope: envelope)
    other = MemoryTransport("failed")

    transport.consume_as("w")
    transport.setup()
    transport.interrupt()
    for settle in (transport.ack, transport.reject, transport.release):
        settle(Envelope("x"))
    transport.replace(Envelope("x"), Envelope("y"), other)
    assert transport.replace(Envelope("x"), Envelope("y")).message == "y"
    transport.close()

    assert other.count() == 1


def test_memory_keeps_lists_for_tests_until_it_is_reset() -> None:
    transport = MemoryTransport("async")
    for text in "abc":
        transport.send(Envelope(text))
    a, b = transport.get(2, 0)
    transport.ack(a)
    transport.reject(b)

    assert [one.message for one in transport.sent] == ["a", "b", "c"]
    assert [one.message for one in transport.acknowledged] == ["a"]
    assert [one.message for one in transport.rejected] == ["b"]
    transport.reset()
    assert transport.sent == transport.acknowledged == transport.rejected == []
    assert transport.stats() == Stats(0)


def test_memory_is_silent_again_after_a_look_that_found_nothing_due() -> None:
    transport = MemoryTransport("async")
    fds = transport.wake_fds()
    transport.send(Envelope("later", (Delay(1000),)))

    assert list(transport.get(1, 0)) == []

    assert select.select(fds, [], [], 0)[0] == []
    due_in = transport.due_in()
    assert due_in is not None
    assert 900 < due_in <= 1000
    transport.close()


def test_memory_may_be_interrupted_more_often_than_its_pipe_holds() -> None:
    transport = MemoryTransport("async")
    transport.wake_fds()

    for _ in range(200_000):
        transport.interrupt()

    assert list(transport.get(1, 60)) == []
    transport.close()


@pytest.mark.skipif(not FDS.is_dir(), reason="needs /proc")
def test_memory_opens_no_descriptor_before_somebody_waits() -> None:
    before = len(list(FDS.iterdir()))
    transport = MemoryTransport("async")

    transport.send(Envelope("x"))
    transport.get(1, 0)

    assert len(list(FDS.iterdir())) == before
