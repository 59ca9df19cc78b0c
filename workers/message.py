"""What a message is, its stable name on the wire, and the values inside it as JSON.

A message is a dataclass or a pydantic model. It is called ``module.Class``
unless ``as_message`` gives it another name, for example the class name that a
PHP application knows it by. What arrives only *names* a type, and a name never
imports anything: it must be among the classes that this program collected.
No I/O. Source of the format: Symfony Messenger 7.2, the body of its JSON
serializer (PHP's ``json_encode`` with PRESERVE_ZERO_FRACTION).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError

from workers.envelope import Envelope
from workers.errors import ConfigError, DecodeError, EncodeError, MessageError, did_you_mean

ClassT = TypeVar("ClassT", bound=type)

_NAME = "__message_name__"
_dump = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_dump_utf8 = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Stands for what could not be decoded: ``type`` if it named one, and the reason."""

    type: str | None
    reason: str


def as_message(name: str) -> Callable[[ClassT], ClassT]:
    r"""Give a message class its name on the wire: ``@as_message(r"App\Message\Sms")``.

    The name belongs to this class alone, not to its children.
    """
    if not name or not name.isprintable() or name.strip() != name:
        raise MessageError(f"{name!r} cannot be the name of a message; give it a printable one")

    def mark(kind: ClassT) -> ClassT:
        setattr(kind, _NAME, name)
        return kind

    return mark


def is_message(kind: object) -> bool:
    """Tell whether ``kind`` is a class whose objects can be sent."""
    return isinstance(kind, type) and (
        dataclasses.is_dataclass(kind) or (issubclass(kind, BaseModel) and kind is not BaseModel)
    )


def name_of(kind: type) -> str:
    """Give the name of a message class on the wire.

    Raises:
        MessageError: the class belongs to ``__main__``, a name that means another
            program in every process.
    """
    if kind.__module__ == "__main__":
        raise MessageError(
            f"{kind.__qualname__} is defined in the script that was started (__main__), so no "
            "worker could find it again; move it to a module and import it from there"
        )
    return _given(kind)


def lineage(kind: type) -> tuple[str, ...]:
    """Give every name that routing may know ``kind`` by: its own, then those of its parents.

    Raises:
        MessageError: see ``name_of``.
    """
    names = [name_of(kind)]
    for parent in kind.__mro__[:-1]:
        names += (_given(parent), _path(parent))
    return tuple(dict.fromkeys(names))


def label(envelope: Envelope) -> str:
    """Give the name of the message in ``envelope``, for people."""
    message = envelope.message
    if isinstance(message, Undecodable):
        return message.type or "(no type)"
    return _given(type(message))


def _given(kind: type) -> str:
    declared: object = kind.__dict__.get(_NAME)
    return declared if isinstance(declared, str) else _path(kind)


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


class Codec:
    """Writes and reads the values of one message class.

    An unknown property is ignored and a missing one takes its default.
    """

    def __init__(self, kind: type) -> None:
        """Prepare ``kind``, about a millisecond.

        Raises:
            MessageError: it cannot be a message, or an annotation of it has no JSON.
        """
        self.name: Final = name_of(kind)
        if not is_message(kind):
            raise MessageError(
                f"{self.name} cannot be sent: it is neither a dataclass nor a pydantic model"
            )
        try:
            self._adapter: TypeAdapter[object] = TypeAdapter(kind)
        except (PydanticUserError, NameError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise MessageError(f"{self.name} cannot be sent: {reason}") from error
        self._validate = self._adapter.validator.validate_json
        self._write = self._adapter.serializer.to_python

    def dump(self, message: object) -> str:
        r"""Write ``message`` as PHP would: ASCII, no spaces, ``/`` as ``\/``.

        Raises:
            EncodeError: a value is not what its annotation says, or has no JSON.
        """
        try:
            plain = self._write(message, mode="json", by_alias=True, warnings="error")
            text = _dump(plain)
            if "\\ud" in text:
                _dump_utf8(plain).encode()  # half of a surrogate pair: no reader would take it
        except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
            raise EncodeError(f"{self.name} cannot be sent: {_plainly(error)}") from error
        return text.replace("/", "\\/")

    def load(self, body: str | bytes) -> object:
        """Read a message.

        Raises:
            DecodeError: the JSON is broken, a property is missing or of another type.
        """
        try:
            return self._validate(body)
        except ValidationError as error:
            raise DecodeError(f"{self.name} cannot be read: {_problems(error)}") from error
        except Exception as error:  # its own __post_init__ and validators may raise anything
            text = f"{type(error).__name__}: {error}"
            raise DecodeError(f"{self.name} cannot be read: {text}") from error


class Messages:
    """The message classes this program knows, by name. Collected on first use, once."""

    def __init__(self, collect: Callable[[], Iterable[type]]) -> None:
        self._collect = collect
        self._kinds: dict[str, type] | None = None
        self._codecs: dict[type, Codec] = {}
        self._by_name: dict[str, Codec] = {}

    @property
    def kinds(self) -> dict[str, type]:
        """Every known class by its name on the wire.

        Raises:
            ConfigError: two classes have one name.
        """
        if self._kinds is None:
            self._kinds = _named(self._collect())
        return self._kinds

    def codec_of(self, kind: type) -> Codec:
        """Give the codec for objects of ``kind``, which need not be known beforehand.

        Raises:
            MessageError: it cannot be a message.
        """
        codec = self._codecs.get(kind)
        if codec is None:
            codec = self._codecs[kind] = Codec(kind)
        return codec

    def codec(self, name: str) -> Codec:
        """Give the codec for the type that a message names.

        Raises:
            DecodeError: no known class has this name, or it cannot be a message.
        """
        codec = self._by_name.get(name)
        if codec is None:
            codec = self._by_name[name] = self._find(name)
        return codec

    def _find(self, name: str) -> Codec:
        kind = self.kinds.get(name)
        if kind is None:
            hint = did_you_mean(name, self.kinds) or "; is its module in import of messenger.toml?"
            raise DecodeError(f'no message is called "{name}"{hint}')
        try:
            return self.codec_of(kind)
        except MessageError as error:
            raise DecodeError(str(error)) from error


def _named(kinds: Iterable[type]) -> dict[str, type]:
    named: dict[str, type] = {}
    for kind in kinds:
        name = name_of(kind)
        other = named.setdefault(name, kind)
        if other is not kind:
            both = " and ".join(_path(one) for one in (other, kind))
            raise ConfigError([f'two messages are called "{name}": {both}'])
    return named


def _problems(error: ValidationError) -> str:
    """Say what is wrong without the values, which are nobody's business in a log."""
    told = (
        (".".join(str(part) for part in problem["loc"]), problem["msg"])
        for problem in error.errors(include_url=False, include_input=False)
    )
    return "; ".join(f"{place}: {text}" if place else text for place, text in told)


def _plainly(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
