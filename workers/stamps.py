"""The facts an envelope can carry, and how those that travel are written.

Pure. A ``WireStamp`` goes into the header ``X-Message-Stamp-<php_class>`` as one
JSON object of an array; every other stamp ends with the process that set it.
Source of names and shapes: Symfony Messenger 7.2, ``Stamp/*``; where Symfony
counts milliseconds we count seconds, and convert at this border only.
"""

from __future__ import annotations

import math
import traceback
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import ClassVar, Final, Self

from workers.envelope import Stamp
from workers.errors import HandlerFailedError

_NAMESPACE = "Symfony\\Component\\Messenger\\Stamp\\"
_TRACE_LIMIT = 8_000  # characters of a traceback that travel: its end says what happened

_LARGEST = 2**53  # what JSON carries exactly; beyond it a float overflows

Fields = Mapping[str, object]


class WireStamp(Stamp):
    """A stamp that goes over the wire."""

    __slots__ = ()
    php_class: ClassVar[str]

    @abstractmethod
    def to_wire(self) -> dict[str, object]:
        """Give the JSON object that stands for it."""

    @classmethod
    @abstractmethod
    def from_wire(cls, fields: Fields) -> Self:
        """Read such an object; unknown fields are ignored.

        Raises:
            TypeError, ValueError: a field is missing or is not what it should be.
        """


@dataclass(frozen=True, slots=True)
class BusName(WireStamp):
    """Which bus dispatched the message, and so which one handles it."""

    php_class = _NAMESPACE + "BusNameStamp"
    name: str

    def to_wire(self) -> dict[str, object]:
        return {"busName": self.name}

    @classmethod
    def from_wire(cls, fields: Fields) -> Self:
        return cls(_text(fields, "busName"))


@dataclass(frozen=True, slots=True)
class Delay(WireStamp):
    """Not to be delivered before ``seconds`` from the time it is sent."""

    php_class = _NAMESPACE + "DelayStamp"
    seconds: float

    def to_wire(self) -> dict[str, object]:
        return {"delay": math.ceil(round(self.seconds * 1000, 3))}

    @classmethod
    def from_wire(cls, fields: Fields) -> Self:
        return cls(_whole(fields, "delay") / 1000)


@dataclass(frozen=True, slots=True)
class Redelivery(WireStamp):
    """The message was sent again: the how-manieth retry this is, and since when."""

    php_class = _NAMESPACE + "RedeliveryStamp"
    retry_count: int
    redelivered_at: datetime

    def to_wire(self) -> dict[str, object]:
        at = self.redelivered_at.isoformat(timespec="seconds")
        return {"retryCount": self.retry_count, "redeliveredAt": at}

    @classmethod
    def from_wire(cls, fields: Fields) -> Self:
        at = datetime.fromisoformat(_text(fields, "redeliveredAt"))
        return cls(_whole(fields, "retryCount"), at if at.tzinfo else at.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class ErrorDetails(WireStamp):
    """What went wrong: class, code and text; ``flat`` is Symfony's longer form, or None."""

    php_class = _NAMESPACE + "ErrorDetailsStamp"
    exception: str
    code: int | str
    text: str
    flat: Mapping[str, object] | None = None

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Describe ``error``; a failed dispatch is described by its first failure."""
        if isinstance(error, HandlerFailedError):
            error = error.first
        return cls(_class_name(type(error)), 0, str(error), _flatten(error))

    def same_as(self, other: ErrorDetails | None) -> bool:
        """Tell whether both say the same, wherever it was raised."""
        return other is not None and (self.exception, self.code, self.text) == (
            other.exception,
            other.code,
            other.text,
        )

    def to_wire(self) -> dict[str, object]:
        return {
            "exceptionClass": self.exception,
            "exceptionCode": self.code,
            "exceptionMessage": self.text,
            "flattenException": None if self.flat is None else dict(self.flat),
        }

    @classmethod
    def from_wire(cls, fields: Fields) -> Self:
        code = fields.get("exceptionCode", 0)
        flat = fields.get("flattenException")
        return cls(
            _text(fields, "exceptionClass"),
            code if isinstance(code, int | str) else 0,
            _text(fields, "exceptionMessage"),
            flat if isinstance(flat, Mapping) else None,
        )


@dataclass(frozen=True, slots=True)
class SentToFailureTransport(WireStamp):
    """The message was given up; ``original`` is the transport it came from."""

    php_class = _NAMESPACE + "SentToFailureTransportStamp"
    original: str

    def to_wire(self) -> dict[str, object]:
        return {"originalReceiverName": self.original}

    @classmethod
    def from_wire(cls, fields: Fields) -> Self:
        return cls(_text(fields, "originalReceiverName"))


@dataclass(frozen=True, slots=True)
class TransportNames(WireStamp):
    """Send to these transports, whatever the routing says."""

    php_class = _NAMESPACE + "TransportNamesStamp"
    names: tuple[str, ...]

    def to_wire(self) -> dict[str, object]:
        return {"transportNames": list(self.names)}

    @classmethod
    def from_wire(cls, fields: Fields) -> Self:
        names = fields.get("transportNames")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"transportNames is {names!r}, not a list of names")
        return cls(tuple(names))


@dataclass(frozen=True, slots=True)
class Handled(WireStamp):
    """A handler is done and not to be called again; its ``result`` stays in this process."""

    php_class = _NAMESPACE + "HandledStamp"
    handler: str
    result: object = None

    def to_wire(self) -> dict[str, object]:
        return {"result": None, "handlerName": self.handler}

    @classmethod
    def from_wire(cls, fields: Fields) -> Self:
        return cls(_text(fields, "handlerName"), fields.get("result"))


@dataclass(frozen=True, slots=True)
class TransportMessageId(Stamp):
    """The id under which its transport keeps the message.

    Symfony sends it along with every retry, where it means nothing and grows; we do not.
    """

    php_class: ClassVar[str] = _NAMESPACE + "TransportMessageIdStamp"
    id: int | str


@dataclass(frozen=True, slots=True)
class Received(Stamp):
    """Taken from ``transport``: to be handled here, and not sent again."""

    transport: str


@dataclass(frozen=True, slots=True)
class Sent(Stamp):
    """Given to the transport of this name; ``sender`` says what kind it is."""

    transport: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class ConsumedByWorker(Stamp):
    """A worker handles it, not the process that dispatched it."""


@dataclass(frozen=True, slots=True)
class SerializedMessage(Stamp):
    """The body as it came and the headers that became no stamp: sent again to the byte.

    Whoever puts another message into the envelope takes this stamp away.
    """

    body: str | bytes
    headers: Mapping[str, object]


WIRE_STAMPS: Final[Mapping[str, type[WireStamp]]] = MappingProxyType(
    {
        stamp.php_class: stamp
        for stamp in (
            BusName,
            Delay,
            Redelivery,
            ErrorDetails,
            SentToFailureTransport,
            TransportNames,
            Handled,
        )
    }
)


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise TypeError(f"{key} is {value!r}, not a text")
    return value


def _whole(fields: Fields, key: str) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
        raise TypeError(f"{key} is {value!r:.40}, not a whole number")
    return value


def _class_name(kind: type) -> str:
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _flatten(error: Exception) -> dict[str, object]:
    """Give the fields that Symfony's FlattenException is read from."""
    frames = traceback.extract_tb(error.__traceback__)
    trace = "".join(traceback.format_exception(error))
    return {
        "message": str(error),
        "code": 0,
        "headers": [],
        "class": _class_name(type(error)),
        "file": frames[-1].filename if frames else "",
        "line": frames[-1].lineno if frames else 0,
        "previous": None,
        "status": 500,
        "status_text": "Internal Server Error",
        "trace": [],
        "trace_as_string": trace[-_TRACE_LIMIT:],
    }
