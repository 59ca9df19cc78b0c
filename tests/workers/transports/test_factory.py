from __future__ import annotations

from pathlib import Path

import pytest
from workers.envelope import Envelope
from workers.errors import ConfigError
from workers.transports import dsn as dsns
from workers.transports.base import Transport
from workers.transports.factory import create
from workers.transports.memory import MemoryTransport
from workers.transports.sqlite import SqliteTransport
from workers.transports.sync import SyncTransport

from tests.support.messages import serializer


def made(text: str, root: Path = Path("/nowhere")) -> Transport:
    dsn = dsns.parse("async", text)
    return create("async", dsn, serializer(), lambda envelope: envelope, root)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sync://", SyncTransport),
        ("in-memory://", MemoryTransport),
        ("in-memory://?serialize=yes", MemoryTransport),
        ("sqlite:///m.db?queue_name=q", SqliteTransport),
    ],
)
def test_each_scheme_makes_its_transport_and_opens_nothing(text: str, kind: type) -> None:
    transport = made(text)

    assert isinstance(transport, kind)
    assert transport.name == "async"


def test_an_unknown_scheme_gets_a_hint() -> None:
    with pytest.raises(ConfigError) as caught:
        made("sqlit:///m.db")

    assert str(caught.value) == (
        'transport "async": no transport for "sqlit://"; did you mean "sqlite"? '
        "(there are in-memory://, sqlite://, sync://)"
    )


@pytest.mark.parametrize("text", ["sync://?x=1", "in-memory://?x=1", "sqlite:///m.db?x=1"])
def test_an_unknown_option_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match='transport "async": unknown option "x"'):
        made(text)


def test_a_queue_in_memory_may_write_its_messages_as_json() -> None:
    transport = made("in-memory://?serialize=true")

    with pytest.raises(Exception, match="neither a dataclass"):
        transport.send(Envelope(object()))
    made("in-memory://").send(Envelope(object()))
