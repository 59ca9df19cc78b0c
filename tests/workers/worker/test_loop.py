"""The loop with transports in memory: what it takes, in which order, and why it stops."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest
from workers.envelope import Envelope
from workers.retry import RetryPolicy
from workers.stamps import ConsumedByWorker, Received
from workers.transports.base import RestartFlag, Stats
from workers.transports.pause import Pause
from workers.worker.limits import Count, Limits
from workers.worker.loop import Worker
from workers.worker.restart import RestartWish
from workers.worker.settle import Settler
from workers.worker.signals import Abandoned, StopSignals
from workers.worker.station import Station

from tests.support.flaky import FlakyTransport


class Flag:
    """A store with a wish in it; ``wait`` looks at it before it is set."""

    def __init__(self) -> None:
        self.at: float | None = None

    def request_restart(self, now: float) -> None:
        self.at = now

    def restart_requested_at(self) -> float | None:
        return self.at


class World:
    def __init__(self, *names: str) -> None:
        self.transports = [FlakyTransport(name) for name in names or ("async",)]
        self.signals = StopSignals(Pause())
        self.flags: list[RestartFlag] = []
        self.watched_flags = False
        self.handled: list[object] = []
        self.envelopes: list[Envelope] = []
        self.on_message: Callable[[object], None] = lambda _: None
        self.clock: Callable[[], float] = time.monotonic

    @property
    def transport(self) -> FlakyTransport:
        return self.transports[0]

    def run(self, **limits: float) -> str:
        stations = [
            (
                Station(transport, self.clock),
                Settler(
                    transport,
                    RetryPolicy(max_retries=1, delay=0, jitter=0),
                    None,
                    luck=lambda: 0.5,
                    now=lambda: datetime.now(UTC),
                ),
            )
            for transport in self.transports
        ]
        worker = Worker(
            stations,
            self._dispatch,
            count=Count(Limits(**limits), self.clock),  # type: ignore[arg-type]
            wish=RestartWish(self.flags, 100.0, lambda: 200.0),
            watched_flags=self.watched_flags or not self.flags,
            signals=self.signals,
            clock=self.clock,
            look=0.01,
        )
        return worker.run()

    def _dispatch(self, envelope: Envelope) -> Envelope:
        self.envelopes.append(envelope)
        self.on_message(envelope.message)
        self.handled.append(envelope.message)
        return envelope


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.signals.pause.close()
    for transport in world.transports:
        transport.close()


def test_messages_are_handled_as_received_and_acknowledged(world: World) -> None:
    for number in range(5):
        world.transport.send(Envelope(number))

    reason = world.run(messages=5)

    assert reason == "Worker stopped due to maximum count of 5 messages processed"
    assert world.handled == [0, 1, 2, 3, 4]
    assert [one.message for one in world.transport.acknowledged] == world.handled
    assert all(one.last(Received) == Received("async") for one in world.envelopes)
    assert all(one.last(ConsumedByWorker) for one in world.envelopes)


def test_a_limit_is_never_overstepped_and_the_rest_stays(world: World) -> None:
    for number in range(100):
        world.transport.send(Envelope(number))

    world.run(messages=42)

    assert len(world.handled) == 42
    assert world.transport.stats() == Stats(58)


def test_an_earlier_receiver_comes_first_after_every_batch() -> None:
    world = World("high", "low")
    high, low = world.transports
    for number in range(3):
        low.send(Envelope(f"low {number}"))
    high.send(Envelope("high 0"))

    def something_urgent(message: object) -> None:
        if message == "low 0":
            high.send(Envelope("high 1"))

    world.on_message = something_urgent

    world.run(messages=5)

    assert world.handled == ["high 0", "low 0", "high 1", "low 1", "low 2"]


def test_an_idle_worker_wakes_for_a_delayed_retry(world: World) -> None:
    def fail_once(message: object) -> None:
        if not world.transport.rejected:
            raise ValueError(message)

    world.on_message = fail_once
    world.transport.send(Envelope("x"))

    world.run(messages=2)

    assert world.handled == ["x"]
    assert world.transport.stats() == Stats(0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_whatever_a_handler_raises_is_a_failure_of_its_message(
    world: World, error: type[BaseException]
) -> None:
    def fail(_: object) -> None:
        raise error

    world.on_message = fail
    world.transport.send(Envelope("x"))

    reason = world.run(failures=2)

    assert "limit of 2 failed message(s)" in reason
    assert world.transport.stats() == Stats(0, delayed=1)  # given up: it rests


def test_a_signal_between_messages_gives_the_rest_of_the_batch_back(world: World) -> None:
    world.signals.install()
    for number in range(50):
        world.transport.send(Envelope(number))
    world.on_message = lambda message: (
        signal.raise_signal(signal.SIGTERM) if message == 20 else None
    )

    reason = world.run()

    assert reason == "Received signal SIGTERM."
    assert world.handled == list(range(21))
    assert world.transport.stats() == Stats(29)


def test_a_second_signal_breaks_the_handler_off_and_its_message_goes_back(world: World) -> None:
    world.signals.install()

    def insist(_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    world.on_message = insist
    world.transport.send(Envelope("x"))

    with pytest.raises(Abandoned):
        world.run()

    assert world.handled == []
    assert world.transport.stats() == Stats(1)


def test_a_wish_that_comes_while_a_message_is_handled_stops_it(world: World) -> None:
    flag = Flag()
    world.flags = [flag]
    world.on_message = lambda _: flag.request_restart(150.0)
    for content in "xy":
        world.transport.send(Envelope(content))

    assert "a restart was requested" in world.run(seconds=5)
    assert world.handled == ["x"]


def test_a_wish_that_comes_during_the_last_look_for_messages_is_not_slept_through(
    world: World,
) -> None:
    flag, transport = Flag(), world.transport
    looks = iter(range(1, 1000))
    look = transport.get

    def get(limit: int, wait: float) -> Sequence[Envelope]:
        if next(looks) == 2:  # the one before the wait, which drains what announced the wish
            flag.request_restart(101.0)
        return look(limit, wait)

    transport.get = get  # type: ignore[method-assign]
    world.flags, world.watched_flags = [flag], True

    assert "a restart was requested" in world.run(seconds=5)


def test_a_time_limit_ends_an_idle_wait(world: World) -> None:
    assert world.run(seconds=0.05) == "Worker stopped due to time limit of 0.05s exceeded"


def test_a_store_that_cannot_be_read_does_not_stop_the_others() -> None:
    world = World("broken", "good")
    world.transport.broken = {"get"}
    world.transports[1].send(Envelope("x"))

    world.run(messages=1)

    assert world.handled == ["x"]


def test_what_was_handled_is_acknowledged_though_the_store_was_away_for_a_moment(
    world: World,
) -> None:
    world.transport.send(Envelope("x"))
    world.on_message = lambda _: world.transport.broken.add("ack")
    calls = iter(range(1000))

    def clock() -> float:
        if world.transport.calls.count("ack") >= 2:
            world.transport.broken.clear()
        return time.monotonic() + next(calls) * 0

    world.clock = clock

    world.run(messages=1)

    assert world.transport.calls.count("ack") >= 3
    assert world.transport.stats() == Stats(0)


def test_a_failure_that_cannot_be_written_down_is_not_lost(world: World) -> None:
    def fail(_: object) -> None:
        world.transport.broken = {"replace"}
        raise ValueError

    world.on_message = fail
    world.transport.send(Envelope("x"))

    world.run(failures=1)

    assert world.transport.stats() == Stats(1)


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
