r"""An envelope as a body and headers, and back: the JSON format of Symfony's serializer.

``type`` names the message, ``X-Message-Stamp-<class>`` holds a JSON array of the
stamps of that class, everything else is not ours and is carried along. What was
received is sent again byte for byte: only the stamps change.
No I/O. Source: Symfony Messenger 7.2, ``Transport/Serialization/Serializer``.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workers.envelope import Envelope, Stamp
from workers.errors import DecodeError
from workers.message import Messages, Undecodable
from workers.stamps import (
    WIRE_STAMPS,
    BusName,
    SerializedMessage,
    TransportMessageId,
    WireStamp,
)

STAMP_PREFIX = "X-Message-Stamp-"
RAW_HEADERS = "X-Unreadable-Headers"
"""Carries headers that were not a JSON object, for whoever looks into the failure transport."""

_CACHED_LENGTH = 2_000  # characters; longer headers carry errors and hardly ever repeat
_CACHE_SIZE = 256
_encode_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a transport stores; ``body`` is bytes only if it was received so.

    ``headers`` is not to be changed: it may be shared by all messages of a class.
    """

    body: str | bytes
    headers: Mapping[str, object]
    text: str | None = None  # the headers as JSON, where that is known already

    @property
    def headers_json(self) -> str:
        """The headers as one JSON object, as PHP writes it."""
        return self.text or _php_json(self.headers)


@dataclass(frozen=True, slots=True)
class _Head:
    """Headers, read: ``rest`` is what did not become a stamp."""

    type: str | None
    stamps: tuple[Stamp, ...]
    rest: Mapping[str, object]
    problem: str | None = None


class Serializer:
    """Knows the messages of one program; may be shared by its transports and threads."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._read_text = functools.lru_cache(_CACHE_SIZE)(_head_from_text)

    def encode(self, envelope: Envelope) -> Encoded:
        """Write ``envelope``; the body of one that was received stays as it came.

        Raises:
            MessageError: its class cannot be a message.
            EncodeError: a value of it cannot be written.
        """
        raw = envelope.last(SerializedMessage)
        if raw is not None:
            return Encoded(raw.body, {**raw.headers, **_stamp_headers(envelope.stamps)})
        codec = self._messages.codec_of(type(envelope.message))
        body = codec.dump(envelope.message)
        match envelope.stamps:
            case [BusName() as bus]:  # nearly every message: written once a class
                return Encoded(body, *_usual_headers(codec.name, bus))
            case stamps:
                return Encoded(body, _headers(codec.name, stamps))

    def decode(
        self, body: str | bytes, headers: str | bytes | Mapping[str, object], *stamps: Stamp
    ) -> Envelope:
        """Read what a transport stored, and add ``stamps``. Never raises for its content.

        ``headers`` may be the JSON text of a column: what repeats is read once. What
        cannot be read comes as an ``Undecodable`` with everything that was there.
        """
        head = self._head(headers)
        kept = SerializedMessage(body, head.rest)
        return Envelope(self._message(head, body), (*head.stamps, kept, *stamps))

    def _head(self, headers: str | bytes | Mapping[str, object]) -> _Head:
        if isinstance(headers, Mapping):
            return _head_from_mapping(headers)
        if len(headers) > _CACHED_LENGTH:
            return _head_from_text(headers)
        return self._read_text(headers)

    def _message(self, head: _Head, body: str | bytes) -> object:
        if head.problem is not None or head.type is None:
            return Undecodable(head.type, head.problem or _no_type(body))
        try:
            return self._messages.codec(head.type).load(body)
        except DecodeError as error:
            return Undecodable(head.type, str(error))


def _head_from_text(text: str | bytes) -> _Head:
    try:
        headers = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _unreadable(text, f"its headers are not JSON: {error}")
    if headers == []:  # PHP's empty array
        return _Head(None, (), {})
    if not isinstance(headers, dict):
        return _unreadable(text, "its headers are not a JSON object")
    return _head_from_mapping(headers)


def _unreadable(text: str | bytes, problem: str) -> _Head:
    shown = text if isinstance(text, str) else text.decode(errors="backslashreplace")
    return _Head(None, (), {RAW_HEADERS: shown}, problem)


def _head_from_mapping(headers: Mapping[str, object]) -> _Head:
    stamps: list[Stamp] = []
    rest: dict[str, object] = {}
    problem = None
    for name, value in headers.items():
        kind = name.removeprefix(STAMP_PREFIX)
        if kind == name or (kind not in WIRE_STAMPS and kind != TransportMessageId.php_class):
            rest[name] = value
        elif kind in WIRE_STAMPS:
            try:
                stamps += _read_stamps(WIRE_STAMPS[kind], value)
            except (ValueError, TypeError, RecursionError) as error:
                rest[name] = value
                problem = f"its header {name} cannot be read: {error}"
    kind_name = rest.get("type")
    return _Head(kind_name if isinstance(kind_name, str) else None, tuple(stamps), rest, problem)


def _read_stamps(kind: type[WireStamp], value: object) -> list[WireStamp]:
    if not isinstance(value, str | bytes):
        raise TypeError(f"it is a {type(value).__name__}, not a JSON text")
    items = json.loads(value)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise TypeError("it is not a JSON array of objects")
    return [kind.from_wire(item) for item in items]


def _headers(name: str, stamps: Iterable[Stamp]) -> dict[str, object]:
    """Give all headers of a message that is sent for the first time."""
    return {"type": name, **_stamp_headers(stamps), "Content-Type": "application/json"}


@functools.lru_cache(_CACHE_SIZE)
def _usual_headers(name: str, bus: BusName) -> tuple[Mapping[str, object], str]:
    headers = _headers(name, (bus,))
    return headers, _php_json(headers)


def _stamp_headers(stamps: Iterable[Stamp]) -> dict[str, str]:
    """Group what travels by its class, in the order in which the classes appear."""
    groups: dict[str, list[WireStamp]] = {}
    for stamp in stamps:
        if isinstance(stamp, WireStamp):
            groups.setdefault(stamp.php_class, []).append(stamp)
    return {STAMP_PREFIX + name: _group_json(group) for name, group in groups.items()}


def _group_json(group: Sequence[WireStamp]) -> str:
    match group:
        case [BusName() as stamp]:
            return _bus_name_json(stamp)
        case _:
            return _php_json([stamp.to_wire() for stamp in group])


@functools.lru_cache(_CACHE_SIZE)
def _bus_name_json(stamp: BusName) -> str:
    """Write the one stamp that every message has, and nearly always with the same name."""
    return _php_json([stamp.to_wire()])


def _php_json(value: object) -> str:
    return _encode_json(value).replace("/", "\\/")


def _no_type(body: str | bytes) -> str:
    start = body[:2] if isinstance(body, str) else body[:2].decode(errors="replace")
    if start in ("O:", "a:"):
        return (
            "it was written by PHP's own serializer; set serializer: "
            "messenger.transport.symfony_serializer on the transport of the Symfony application"
        )
    return 'it has no header "type"'
