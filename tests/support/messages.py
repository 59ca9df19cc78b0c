"""Messages that tests send, and a serializer that knows them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel
from workers import as_message
from workers.message import Messages
from workers.serializer import Serializer


class Event:
    """A parent without fields, for routing and for handlers of a whole family."""


@dataclass
class SmsNotification(Event):
    content: str


@as_message(r"App\Message\Order")
@dataclass(frozen=True, slots=True)
class Order:
    number: int
    price: float = 1.0
    lines: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)


class Photo(BaseModel):
    path: str
    width: int | None = None


@dataclass
class Picky:
    """Its own check may raise anything."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise KeyError(self.value)


KINDS = (SmsNotification, Order, Photo, Picky)


def serializer() -> Serializer:
    return Serializer(Messages(lambda: KINDS))
