"""The bus with its real middleware, real handlers and transports in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from workers.bus import Bus
from workers.envelope import Envelope
from workers.errors import (
    DecodeError,
    HandlerFailedError,
    MessageError,
    NoHandlerError,
    UnrecoverableError,
)
from workers.handlers import Handlers, handles
from workers.message import Undecodable
from workers.middleware.base import Next, chain
from workers.middleware.handle import Handle
from workers.middleware.log import Log
from workers.middleware.send import Send
from workers.middleware.stamp import AddBusName
from workers.routing import Routing
from workers.stamps import (
    BusName,
    Delay,
    Handled,
    Received,
    Sent,
    SentToFailureTransport,
    TransportMessageId,
    TransportNames,
)
from workers.transports.memory import MemoryTransport
from workers.transports.sync import SyncTransport

from tests.support.messages import Event, Order, SmsNotification

SMS = SmsNotification("hello")
Make = Callable[..., Bus]


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def senders() -> dict[str, Any]:
    return {"async": MemoryTransport("async"), "other": MemoryTransport("other")}


@pytest.fixture
def make(senders: dict[str, Any]) -> Iterator[Make]:
    made: list[Handle] = []

    def build(*functions: Callable[..., Any], **rules: str) -> Bus:
        handle = Handle(Handlers.of(*functions))
        made.append(handle)
        routing = Routing({f"tests.support.messages.{kind}": [to] for kind, to in rules.items()})
        return Bus(lambda: [AddBusName("b"), Log(), Send(routing, senders), handle])

    yield build
    for handle in made:
        handle.close()
        handle.close()


def test_a_message_without_a_route_is_handled_here_and_now(make: Make) -> None:
    @handles
    def send(message: SmsNotification) -> str:
        return message.content.upper()

    done = make(send).dispatch(SMS)

    handled = done.last(Handled)
    assert handled is not None
    assert handled.result == "HELLO"
    assert done.last(BusName) == BusName("b")


def test_a_message_with_a_route_is_sent_and_not_handled(
    make: Make, senders: dict[str, Any], calls: list[str]
) -> None:
    @handles
    def send(message: SmsNotification) -> None:
        calls.append(message.content)

    done = make(send, SmsNotification="async").dispatch(SMS, [Delay(5)], delay=0)

    assert calls == []
    assert done.last(Sent) == Sent("async", "MemoryTransport")
    assert done.last(TransportMessageId) == TransportMessageId(1)
    assert done.last(Delay) == Delay(0)
    assert [one.message for one in senders["async"].get(10, 0)] == [SMS]


def test_a_message_goes_to_every_transport_of_its_class_and_its_parents(
    make: Make, senders: dict[str, Any]
) -> None:
    done = make(SmsNotification="async", Event="other").dispatch(SMS)

    assert [stamp.transport for stamp in done.all(Sent)] == ["async", "other"]
    assert [senders[name].count() for name in ("async", "other")] == [1, 1]


def test_an_envelope_may_name_its_transports(make: Make, senders: dict[str, Any]) -> None:
    make(SmsNotification="async").dispatch(Envelope(SMS), [TransportNames(("other",))])

    assert [senders[name].count() for name in ("async", "other")] == [0, 1]


def test_a_received_message_is_handled_and_not_sent_again(make: Make, calls: list[str]) -> None:
    @handles
    def send(message: SmsNotification) -> None:
        calls.append(message.content)

    make(send, SmsNotification="async").dispatch(Envelope(SMS, (Received("async"),)))

    assert calls == ["hello"]


def test_what_goes_to_sync_is_handled_before_dispatch_ends(
    make: Make, senders: dict[str, Any], calls: list[str]
) -> None:
    @handles
    def send(message: SmsNotification) -> None:
        calls.append(message.content)

    bus = make(send, SmsNotification="now")
    senders["now"] = SyncTransport("now", bus.dispatch)

    done = bus.dispatch(SMS)

    assert calls == ["hello"]
    assert done.last(Sent) == Sent("now", "SyncTransport")


@pytest.mark.parametrize(
    ("stamps", "more"),
    [([], r", and no rule of \[routing\] sends it anywhere"), ([Received("async")], "")],
)
def test_nobody_handles_it(make: Make, stamps: list[Any], more: str) -> None:
    text = r"^No handler for message tests\.support\.messages\.SmsNotification"

    with pytest.raises(NoHandlerError, match=f"{text}{more}$"):
        make().dispatch(SMS, stamps)


def test_a_class_of_the_started_script_is_refused(make: Make) -> None:
    here = type("Here", (), {"__module__": "__main__"})

    with pytest.raises(MessageError, match="__main__"):
        make().dispatch(here())


def test_what_could_not_be_decoded_fails_with_the_reason(make: Make) -> None:
    envelope = Envelope(Undecodable("app.Gone", "no such class"), (Received("async"),))

    with pytest.raises(DecodeError, match="no such class"):
        make().dispatch(envelope)


def test_a_failure_stops_no_other_handler_and_all_are_kept(make: Make, calls: list[str]) -> None:
    @handles(priority=3)
    def first(_: Event) -> None:
        raise OSError("disk full")

    @handles(priority=2)
    def second(_: Event) -> None:
        calls.append("second")

    @handles(priority=1)
    def third(_: Event) -> None:
        raise UnrecoverableError

    with pytest.raises(HandlerFailedError, match=r"2 handlers failed\. .* disk full") as caught:
        make(first, second, third).dispatch(SMS)

    assert calls == ["second"]
    assert [type(one) for one in caught.value.failures.values()] == [OSError, UnrecoverableError]
    assert [name.rpartition(".")[2] for name in caught.value.handled] == ["second"]


def test_one_failure_is_told_in_symfonys_words(make: Make) -> None:
    @handles
    def send(_: SmsNotification) -> None:
        raise ValueError("no network")

    with pytest.raises(
        HandlerFailedError,
        match=r'^Handling "tests\.support\.messages\.SmsNotification" failed: no network$',
    ):
        make(send).dispatch(SMS)


def test_a_handler_that_is_done_is_not_called_again(make: Make, calls: list[str]) -> None:
    @handles
    def one(_: SmsNotification) -> None:
        calls.append("one")

    @handles
    def two(_: SmsNotification) -> None:
        calls.append("two")

    place = "test_a_handler_that_is_done_is_not_called_again.<locals>"
    bus = make(one, two)
    bus.dispatch(SMS, [Handled(f"{__name__}.{place}.one")])

    assert calls == ["two"]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([], ["any", "high"]),
        ([Received("high")], ["any", "high"]),
        ([Received("low")], ["any"]),
        ([Received("failed"), SentToFailureTransport("high")], ["any", "high"]),
    ],
)
def test_a_handler_may_want_one_transport_only(
    make: Make, calls: list[str], stamps: list[Any], expected: list[str]
) -> None:
    @handles
    def anyone(_: SmsNotification) -> None:
        calls.append("any")

    @handles(from_transport="high")
    def picky(_: SmsNotification) -> None:
        calls.append("high")

    make(anyone, picky).dispatch(SMS, stamps)

    assert calls == expected


@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError()])
def test_a_handler_that_leaves_has_failed_and_the_worker_lives(
    make: Make, error: BaseException
) -> None:
    @handles
    def leave(_: SmsNotification) -> None:
        raise error

    with pytest.raises(HandlerFailedError, match=f"it ended with {type(error).__name__}"):
        make(leave).dispatch(SMS)


def test_ctrl_c_is_not_a_failure_of_the_handler(make: Make) -> None:
    @handles
    def wait(_: SmsNotification) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(wait).dispatch(SMS)


def test_async_handlers_share_one_loop(make: Make) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    @handles
    async def send(message: SmsNotification) -> str:
        loops.append(asyncio.get_running_loop())
        return message.content

    bus = make(send)
    results = [bus.dispatch(SMS).last(Handled) for _ in range(2)]

    assert [one.result for one in results if one] == ["hello", "hello"]
    assert loops[0] is loops[1]


def test_an_async_handler_inside_a_running_loop_says_what_to_do(make: Make) -> None:
    @handles
    async def send(message: SmsNotification) -> None: ...

    async def scenario() -> None:
        make(send).dispatch(SMS)

    with pytest.raises(HandlerFailedError, match="an event loop is running"):
        asyncio.run(scenario())


def test_the_first_middleware_is_outermost_and_may_end_the_dispatch() -> None:
    seen: list[str] = []

    def step(name: str) -> Any:
        def middleware(envelope: Envelope, following: Next) -> Envelope:
            seen.append(name)
            return envelope if name == "stop" else following(envelope)

        return middleware

    chain([step("a"), step("stop"), step("never")])(Envelope(SMS))

    assert seen == ["a", "stop"]
    assert chain([])(Envelope(SMS)) == Envelope(SMS)


def test_the_log_tells_what_became_of_a_message(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    @handles
    def send(_: SmsNotification) -> None: ...

    @handles
    def fail(_: Order) -> None:
        raise OSError

    bus = make(send, fail, Photo="async")
    caplog.set_level(logging.INFO, "messenger")
    bus.dispatch(SMS, [Received("async"), TransportMessageId(7)])
    bus.dispatch(Envelope(SMS, (TransportNames(("async",)),)))
    with pytest.raises(HandlerFailedError):
        bus.dispatch(Order(1))

    name = "tests.support.messages.SmsNotification"
    place = f"{__name__}.test_the_log_tells_what_became_of_a_message.<locals>"
    assert caplog.messages == [
        f"Received message {name} transport=async id=7",
        f"Message {name} handled by {place}.send",
        f"Sending message {name} with async sender using MemoryTransport",
    ]
