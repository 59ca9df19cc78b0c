"""The types of values in the sections, each with the words that people use for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainValidator

from supervise.config import values
from supervise.config.pairs import pairs
from supervise.core.spec import AutoRestart, Backoff


@dataclass(frozen=True, slots=True)
class Words:
    """How people call a type; stands in a field's ``metadata`` for the reference."""

    text: str


Boolean = Annotated[bool, PlainValidator(values.boolean), Words("true or false")]
Integer = Annotated[int, PlainValidator(values.integer), Words("whole number")]
Count = Annotated[int, PlainValidator(values.at_least_zero), Words("whole number")]
Seconds = Annotated[float, PlainValidator(values.seconds), Words("seconds")]
Share = Annotated[float, PlainValidator(values.share), Words("0 to 1")]
ByteSize = Annotated[int, PlainValidator(values.byte_size), Words("bytes, or KB, MB, GB")]
Octal = Annotated[int, PlainValidator(values.octal), Words("octal number")]
SignalNumber = Annotated[int, PlainValidator(values.signal_number), Words("signal name or number")]
ExitCodes = Annotated[tuple[int, ...], PlainValidator(values.exit_codes), Words("list of codes")]
Restart = Annotated[
    AutoRestart, PlainValidator(values.auto_restart), Words("true, false or unexpected")
]
Growth = Annotated[Backoff, PlainValidator(values.backoff), Words("linear or exponential")]
LogFile = Annotated[
    str | None, PlainValidator(values.log_file), Words("path, AUTO, NONE or syslog")
]
LogLevel = Annotated[str, PlainValidator(values.log_level), Words(", ".join(values.LOG_LEVELS))]
Name = Annotated[str, PlainValidator(values.name), Words("name")]
Text = Annotated[str, PlainValidator(values.plain), Words("text")]
Path = Annotated[str, PlainValidator(values.plain), Words("path")]
User = Annotated[str, PlainValidator(values.plain), Words("user name or uid")]
Owner = Annotated[str, PlainValidator(values.plain), Words("user or user:group")]
Command = Annotated[str, PlainValidator(values.command), Words("command line")]
Strings = Annotated[tuple[str, ...], PlainValidator(values.strings), Words("list of names")]
Patterns = Annotated[tuple[str, ...], PlainValidator(values.patterns), Words("list of patterns")]
Pairs = Annotated[dict[str, str], PlainValidator(pairs), Words('KEY="value",KEY2="value2"')]
Address = Annotated[
    tuple[str, int], PlainValidator(values.inet_address), Words("host:port, *:port or port")
]
FcgiSocket = Annotated[
    str, PlainValidator(values.fcgi_socket), Words("tcp://host:port or unix:///path")
]
Backlog = Annotated[int, PlainValidator(values.backlog), Words("1 to 65535")]
