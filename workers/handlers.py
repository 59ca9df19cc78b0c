"""Functions that handle messages: how they are marked, found and looked up.

``@handles`` only marks the function; nothing is registered anywhere. A program
collects the marked functions of the modules it was told to import, so two
programs in one process never see each other's handlers. A handler serves the
type of its first argument, the members of a union, and every child of those.
Source of the rules: Symfony Messenger 7.2, ``AsMessageHandler``.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeGuard, TypeVar, Union, overload

from workers.errors import ConfigError

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_MARKS = "__handles__"


@dataclass(frozen=True, slots=True)
class Mark:
    """What ``@handles`` was told."""

    message: type | None
    priority: int
    from_transport: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Handler:
    """A function, under a name that stays the same from release to release."""

    name: str
    call: Callable[[Any], Any]
    types: tuple[type, ...]
    priority: int = 0
    from_transport: str | None = None
    is_async: bool = False


@overload
def handles(function: FunctionT, /) -> FunctionT: ...
@overload
def handles(
    *,
    message: type | None = None,
    priority: int = 0,
    from_transport: str | None = None,
    name: str | None = None,
) -> Callable[[FunctionT], FunctionT]: ...
def handles(
    function: FunctionT | None = None,
    /,
    *,
    message: type | None = None,
    priority: int = 0,
    from_transport: str | None = None,
    name: str | None = None,
) -> FunctionT | Callable[[FunctionT], FunctionT]:
    """Mark a function of a module as a handler; it is called with the message alone.

    Args:
        function: the function, when written ``@handles`` without brackets.
        message: the type it handles; default: the annotation of its first argument.
        priority: higher ones are called first; equal ones in the order of the modules.
        from_transport: call it only for messages received from this transport.
        name: what distinguishes two marks of one function.

    Raises:
        ConfigError: it is a class or a method, which nobody would ever call.
    """
    mark = Mark(message, priority, from_transport, name)

    def attach(marked: FunctionT) -> FunctionT:
        inner = marked.__qualname__.rpartition(".")[0]
        if isinstance(marked, type) or (inner and not inner.endswith("<locals>")):
            raise ConfigError([f"@handles is for functions of a module, not {marked.__qualname__}"])
        setattr(marked, _MARKS, (*marks_of(marked), mark))
        return marked

    return attach if function is None else attach(function)


def marks_of(thing: object) -> tuple[Mark, ...]:
    """Give the marks of ``thing``; empty for all that is not a handler."""
    marks: object = getattr(thing, _MARKS, ()) if inspect.isroutine(thing) else ()
    return marks if isinstance(marks, tuple) else ()


def collect(modules: Iterable[ModuleType]) -> list[Handler]:
    """Find the handlers of ``modules``, each function once, in the order of definition.

    Raises:
        ConfigError: one or more of them say nothing usable about their message.
    """
    functions = {
        id(thing): thing for module in modules for thing in vars(module).values() if marks_of(thing)
    }
    found: list[Handler] = []
    problems: list[str] = []
    for function in functions.values():
        for mark in marks_of(function):
            try:
                found.append(_handler(function, mark))
            except ConfigError as error:
                problems += error.problems
    if problems:
        raise ConfigError(problems)
    return found


class Handlers:
    """The handlers of one program by message class. Collected on first use, once."""

    def __init__(self, find: Callable[[], Iterable[Handler]]) -> None:
        self._find = find
        self._all: tuple[Handler, ...] | None = None
        self._by_class: dict[type, tuple[Handler, ...]] = {}

    @classmethod
    def of(cls, *functions: Callable[..., Any]) -> Handlers:
        """Make a registry of marked functions, wherever they were defined."""
        return cls(lambda: [_handler(one, mark) for one in functions for mark in marks_of(one)])

    @property
    def all(self) -> tuple[Handler, ...]:
        """Every handler, the highest priority first."""
        if self._all is None:
            named: dict[str, Handler] = {}
            for handler in sorted(self._find(), key=lambda handler: -handler.priority):
                named.setdefault(handler.name, handler)
            self._all = tuple(named.values())
        return self._all

    def serving(self, kind: type) -> tuple[Handler, ...]:
        """Give the handlers of messages of class ``kind``, in the order to call them."""
        found = self._by_class.get(kind)
        if found is None:
            found = tuple(one for one in self.all if issubclass(kind, one.types))
            self._by_class[kind] = found
        return found


def _handler(function: Callable[..., Any], mark: Mark) -> Handler:
    place = f"{function.__module__}.{function.__qualname__}"
    return Handler(
        f"{place}@{mark.name}" if mark.name else place,
        function,
        (mark.message,) if mark.message else _types(function, place),
        mark.priority,
        mark.from_transport,
        inspect.iscoroutinefunction(function),
    )


def _types(function: Callable[..., Any], place: str) -> tuple[type, ...]:
    """Read the message classes off the first argument."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or any(_is_required(one) for one in parameters[1:]):
        raise ConfigError([f"{place}: a handler takes one argument, the message"])
    first = parameters[0]
    annotation = _hints(function, place).get(first.name)
    members = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    kinds = tuple(member for member in members if _is_class(member))
    if not kinds or len(kinds) != len(members):
        text = f"the annotation of {first.name} must be the class it handles, or several with |"
        raise ConfigError([f"{place}: {text}"])
    return kinds


def _is_class(annotation: object) -> TypeGuard[type]:
    """Tell whether an object can be of it: ``Any`` and protocols only look like classes."""
    return (
        isinstance(annotation, type)
        and annotation is not Any
        and not getattr(annotation, "_is_protocol", False)
    )


def _is_required(parameter: inspect.Parameter) -> bool:
    many = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not many


def _is_union(annotation: object) -> bool:
    return typing.get_origin(annotation) in (Union, types.UnionType)


def _hints(function: Callable[..., Any], place: str) -> Mapping[str, object]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, SyntaxError) as error:
        raise ConfigError([f"{place}: its annotations cannot be read: {error}"]) from error
