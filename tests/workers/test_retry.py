from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st
from workers.envelope import Envelope
from workers.errors import (
    DecodeError,
    HandlerFailedError,
    NoHandlerError,
    RecoverableError,
    UnrecoverableError,
)
from workers.retry import HISTORY, RetryPolicy, set_aside
from workers.stamps import (
    BusName,
    ConsumedByWorker,
    Delay,
    ErrorDetails,
    Handled,
    Received,
    Redelivery,
    Sent,
    SentToFailureTransport,
    TransportMessageId,
)

NOW = datetime(2026, 11, 20, 23, 30, 14, tzinfo=UTC)
EXACT = RetryPolicy(max_retries=3, delay=1.0, multiplier=2.0, jitter=0.0)
POLICIES = st.builds(
    RetryPolicy,
    max_retries=st.integers(0, 20),
    delay=st.floats(0, 1e6),
    multiplier=st.floats(1, 1e6),
    max_delay=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)


def failed(*errors: Exception, handled: tuple[str, ...] = ()) -> HandlerFailedError:
    failures = {f"app.handler_{number}": error for number, error in enumerate(errors)}
    return HandlerFailedError("app.Sms", failures, handled)


def retried(count: int) -> Envelope:
    return Envelope("message", (BusName("b"),) if count == 0 else (Redelivery(count, NOW),))


@pytest.mark.parametrize(("count", "delay"), [(0, 1.0), (1, 2.0), (2, 4.0), (3, None), (4, None)])
def test_the_delays_double_until_the_retries_are_used_up(count: int, delay: float | None) -> None:
    again = EXACT.next_try(retried(count), failed(OSError("x")), 0.5, NOW)

    if delay is None:
        assert again is None
    else:
        assert again is not None
        assert again.last(Delay) == Delay(delay)
        assert again.last(Redelivery) == Redelivery(count + 1, NOW)


HOPELESS = UnrecoverableError("never")
ALWAYS = RecoverableError("later")


@pytest.mark.parametrize(
    ("error", "count", "again"),
    [
        (failed(OSError()), 0, True),
        (failed(HOPELESS), 0, False),
        (failed(HOPELESS, OSError()), 0, True),
        (failed(HOPELESS, HOPELESS), 0, False),
        (failed(ALWAYS), 99, True),
        (failed(OSError(), HOPELESS, ALWAYS), 99, True),
        (HOPELESS, 0, False),
        (DecodeError("garbage"), 0, False),
        (failed(DecodeError("inside")), 0, False),
        (NoHandlerError("nobody"), 0, True),
        (NoHandlerError("nobody"), 3, False),
    ],
)
def test_what_is_tried_again(error: Exception, count: int, again: bool) -> None:
    assert (EXACT.next_try(retried(count), error, 0.5, NOW) is not None) is again


@pytest.mark.parametrize(
    ("delays", "expected"), [((None,), 1.0), ((7.5,), 7.5), ((2, 9, None), 9.0), ((-3,), 0.0)]
)
def test_a_handler_may_say_when_it_wants_to_be_tried_again(
    delays: tuple[float | None, ...], expected: float
) -> None:
    error = failed(*(RecoverableError("later", delay=delay) for delay in delays))

    again = EXACT.next_try(retried(0), error, 0.5, NOW)

    assert again is not None
    assert again.last(Delay) == Delay(expected)


@given(POLICIES, st.integers(0, 10**6), st.floats(0, 1))
def test_no_wait_is_negative_or_longer_than_allowed(
    policy: RetryPolicy, retries: int, luck: float
) -> None:
    wait = policy.wait(retries, luck)

    assert 0 <= wait <= 366 * 86_400
    if policy.max_delay:
        assert wait <= policy.max_delay + 0.001


@given(st.floats(0, 1))
def test_chance_moves_a_wait_by_its_share_at_most(luck: float) -> None:
    wait = RetryPolicy(delay=10.0, jitter=0.1).wait(0, luck)

    assert 9.0 <= wait <= 11.001
    assert RetryPolicy(delay=10.0, jitter=0.1).wait(0, 0.0) == 9.0
    assert RetryPolicy(delay=10.0, jitter=0.1).wait(0, 1.0) == 11.0


@given(POLICIES, st.integers(-5, 40), st.floats(0, 1))
def test_the_failure_transport_never_gives_a_message_up(
    policy: RetryPolicy, count: int, luck: float
) -> None:
    envelope = Envelope("message", (SentToFailureTransport("async"), Redelivery(count, NOW)))

    for error in (failed(OSError("x")), failed(HOPELESS), DecodeError("garbage")):
        again = policy.next_try(envelope, error, luck, NOW)

        assert again is not None
        delay = again.last(Delay)
        assert delay is not None
        assert delay.seconds <= 3600


def test_a_retry_forgets_what_only_this_process_knew() -> None:
    private = (Received("async"), ConsumedByWorker(), Sent("async"), TransportMessageId(7))

    again = EXACT.next_try(Envelope("message", (BusName("b"), *private)), failed(OSError()), 0, NOW)

    assert again is not None
    assert [type(stamp) for stamp in again.stamps] == [BusName, ErrorDetails, Delay, Redelivery]


def test_handlers_that_succeeded_are_noted_once() -> None:
    envelope = Envelope("message", (Handled("app.a"),))

    again = EXACT.next_try(envelope, failed(OSError(), handled=("app.a", "app.b")), 0, NOW)

    assert again is not None
    assert again.all(Handled) == (Handled("app.a"), Handled("app.b"))


def test_the_same_error_is_noted_once_and_another_one_beside_it() -> None:
    envelope: Envelope | None = Envelope("message")
    for text in ("first", "first", "second"):
        assert envelope is not None
        envelope = EXACT.next_try(envelope, failed(OSError(text)), 0.5, NOW)

    assert envelope is not None
    assert [stamp.text for stamp in envelope.all(ErrorDetails)] == ["first", "second"]


def test_a_long_history_keeps_its_first_and_its_newest() -> None:
    envelope = Envelope("message")
    for _ in range(25):
        again = EXACT.next_try(envelope, failed(RecoverableError("later")), 0.5, NOW)
        assert again is not None
        envelope = again

    counts = [stamp.retry_count for stamp in envelope.all(Redelivery)]
    assert len(counts) == len(envelope.all(Delay)) == HISTORY
    assert counts == [1, *range(17, 26)]


def test_what_is_set_aside_says_where_it_came_from_and_starts_anew() -> None:
    aside = set_aside(retried(3), failed(OSError("gone")), "async", NOW)

    assert aside.last(SentToFailureTransport) == SentToFailureTransport("async")
    assert aside.last(Delay) == Delay(0)
    assert aside.last(Redelivery) == Redelivery(0, NOW)
    details = aside.last(ErrorDetails)
    assert details is not None
    assert details.text == "gone"


def test_what_was_set_aside_once_keeps_its_origin() -> None:
    first = set_aside(retried(3), failed(OSError("gone")), "async", NOW)

    second = set_aside(first, failed(OSError("gone")), "failed", NOW)

    assert second.all(SentToFailureTransport) == (SentToFailureTransport("async"),)
