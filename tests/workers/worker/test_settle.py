from __future__ import annotations

from datetime import UTC, datetime

import pytest
from workers.envelope import Envelope
from workers.errors import TransportError, UnrecoverableError
from workers.retry import RetryPolicy
from workers.stamps import Delay, Redelivery, SentToFailureTransport
from workers.transports.base import Stats
from workers.worker.settle import Settler

from tests.support.flaky import FlakyTransport

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)


class World:
    def __init__(self, *, failed: bool = True, max_retries: int = 1) -> None:
        self.transport = FlakyTransport()
        self.failed = FlakyTransport("failed")
        policy = RetryPolicy(max_retries=max_retries, delay=30, jitter=0)
        self.settler = Settler(
            self.transport,
            policy,
            self.failed if failed else None,
            luck=lambda: 0.5,
            now=lambda: NOW,
        )
        self.transport.send(Envelope("x"))
        (self.envelope,) = self.transport.get(1, 0)
        self.transport.calls.clear()


def test_a_failure_is_tried_again_later() -> None:
    world = World()

    world.settler.settle(world.envelope, ValueError("no"))

    assert world.transport.stats() == Stats(0, delayed=1)
    sent = world.transport.sent[-1]
    assert sent.last(Delay) == Delay(30)
    assert sent.last(Redelivery) == Redelivery(1, NOW)


@pytest.mark.parametrize(
    ("max_retries", "error"), [(0, ValueError("no")), (5, UnrecoverableError("never"))]
)
def test_what_is_given_up_goes_to_the_failure_transport(max_retries: int, error: Exception) -> None:
    world = World(max_retries=max_retries)

    world.settler.settle(world.envelope, error)

    assert world.transport.stats() == Stats(0)
    (aside,) = world.failed.get(5, 0)
    assert aside.last(SentToFailureTransport) == SentToFailureTransport("async")


def test_without_a_failure_transport_it_rests_in_its_own_queue_for_an_hour() -> None:
    world = World(failed=False, max_retries=0)

    world.settler.settle(world.envelope, ValueError("no"))

    assert world.transport.stats() == Stats(0, delayed=1)
    assert world.transport.sent[-1].last(Delay) == Delay(3600)


def test_a_failure_transport_that_is_down_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World(max_retries=0)
    world.failed.broken = {"send"}

    world.settler.settle(world.envelope, ValueError("no"))

    assert world.transport.stats() == Stats(0, delayed=1)
    assert "the failure transport cannot take it: failed cannot send" in caplog.text


def test_if_nothing_can_be_written_the_message_stays_in_hand() -> None:
    world = World()
    world.transport.broken = {"replace"}

    with pytest.raises(TransportError):
        world.settler.settle(world.envelope, ValueError("no"))

    assert world.transport.stats() == Stats(0, in_hand=1)
