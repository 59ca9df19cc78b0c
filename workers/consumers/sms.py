"""A text message, "sent" by writing it into an outbox."""

from __future__ import annotations

import os
from dataclasses import dataclass

from workers import handles
from workers.consumers.store import files


@dataclass
class SmsNotification:
    """What the application knows when it dispatches; the handler does the slow part."""

    content: str


@handles
def send_sms(message: SmsNotification) -> None:
    """Append one line to the outbox: one write, so two workers never mix theirs."""
    path = files() / "outbox" / "sms.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = message.content.replace("\n", " ") + "\n"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)
    print("sending", message.content)  # noqa: T201 - what a handler prints is in the program's log
