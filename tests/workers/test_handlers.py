from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Union

import pytest
from workers.errors import ConfigError
from workers.handlers import Handlers, collect, handles, marks_of

from tests.support.messages import Event, Order, Photo, SmsNotification

if TYPE_CHECKING:
    from nowhere import Gone  # type: ignore[import-not-found]


@handles
def send_sms(message: SmsNotification) -> str:
    return message.content


@handles(priority=10)
def first(message: SmsNotification, *, dry: bool = False) -> None:
    """An argument with a default is the handler's own business."""


@handles
def either(message: Order | Photo) -> None: ...


@handles
def either_in_the_old_way(message: Union[Order, Photo]) -> None:  # noqa: UP007 - it is the point
    ...


@handles
def whole_family(event: Event) -> None: ...


@handles(message=Photo)
def told(message) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001 - it is the point


@handles(from_transport="high", name="fast")
@handles(from_transport="low", name="slow")
async def twice(message: Photo) -> None: ...


def module(name: str, **contents: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(contents)
    return made


def names(handlers: Handlers, kind: type) -> list[str]:
    return [handler.name.rpartition(".")[2] for handler in handlers.serving(kind)]


def test_the_decorator_gives_back_the_function_itself() -> None:
    assert send_sms(SmsNotification("x")) == "x"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (SmsNotification, ["first", "send_sms", "whole_family"]),
        (Order, ["either", "either_in_the_old_way"]),
        (Event, ["whole_family"]),
        (int, []),
    ],
)
def test_handlers_serve_their_types_and_the_children_by_priority(
    kind: type, expected: list[str]
) -> None:
    handlers = Handlers.of(send_sms, either, either_in_the_old_way, whole_family, first)

    assert names(handlers, kind) == expected


def test_a_function_may_be_marked_twice_under_two_names() -> None:
    handlers = Handlers.of(told, twice)

    assert names(handlers, Photo) == ["told", "twice@slow", "twice@fast"]
    assert [one.from_transport for one in handlers.serving(Photo)] == [None, "low", "high"]
    assert [one.is_async for one in handlers.serving(Photo)] == [False, True, True]


def test_a_function_that_several_modules_know_is_one_handler() -> None:
    one = module("one", send_sms=send_sms, alias=send_sms, number=3, kind=SmsNotification)
    other = module("other", imported=send_sms, told=told)

    assert [handler.call for handler in collect([one, other])] == [send_sms, told]


def test_what_only_looks_marked_is_not_a_handler() -> None:
    class Anything:
        def __getattr__(self, name: str) -> str:
            return name

    assert marks_of(Anything()) == ()
    assert collect([module("one", thing=Anything())]) == []


def test_one_name_is_one_handler() -> None:
    assert len(Handlers.of(send_sms, send_sms).all) == 1


def no_arguments() -> None: ...
def two_arguments(message: Photo, other: int) -> None: ...
def no_annotation(message): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - the point
def anything(message: Any) -> None: ...
def partly(message: Photo | list[int]) -> None: ...
def unknown(message: Gone) -> None: ...


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (no_arguments, "a handler takes one argument, the message"),
        (two_arguments, "a handler takes one argument, the message"),
        (no_annotation, "the annotation of message must be the class"),
        (anything, "the annotation of message must be the class"),
        (partly, "the annotation of message must be the class"),
        (unknown, "its annotations cannot be read: name 'Gone'"),
    ],
)
def test_a_handler_that_says_nothing_usable_is_named(function: Any, reason: str) -> None:
    copy = type(function)(function.__code__, function.__globals__, function.__name__)
    copy.__annotations__ = function.__annotations__

    with pytest.raises(ConfigError, match=reason) as caught:
        collect([module("m", bad=handles(copy), good=send_sms)])

    assert f"test_handlers.{function.__name__}: " in str(caught.value)


def test_all_bad_handlers_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        collect([module("m", one=handles(no_arguments), two=handles(two_arguments))])

    assert len(caught.value.problems) == 2


def test_a_method_or_a_class_is_refused_since_nobody_would_call_it() -> None:
    def method(self: object, message: Photo) -> None: ...

    method.__qualname__ = "Service.method"
    with pytest.raises(ConfigError, match=r"not Service\.method"):
        handles(method)
    with pytest.raises(ConfigError, match="functions of a module"):
        handles(Photo)
