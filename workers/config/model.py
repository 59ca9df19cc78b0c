"""What messenger.toml may say. Times in seconds; an unknown key is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    StringConstraints,
)


def _dsn_alone(value: object) -> object:
    return {"dsn": value} if isinstance(value, str) else value


def _one_name(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Section(BaseModel):
    """Common to every table."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Retry(Section):
    """When a message that failed is tried again."""

    max_retries: NonNegativeInt = Field(3, description="tries after the first one; 0 for none")
    delay: NonNegativeFloat = Field(1.0, description="seconds before the first retry")
    multiplier: float = Field(2.0, ge=1, description="each delay is so many times the one before")
    max_delay: NonNegativeFloat = Field(0.0, description="no delay is longer; 0 for no bound")
    jitter: float = Field(0.1, ge=0, le=1, description="each delay is up to so much off, by chance")


class TransportSettings(Section):
    """One entry of ``[transports]``: a DSN alone, or a table with these keys."""

    dsn: str = Field(min_length=1, description="where the messages are kept")
    retry: Retry = Field(default_factory=Retry, description="its retry policy")
    failure_transport: str | None = Field(
        None, description="what is given up here goes there; default: the global one"
    )
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="options of the DSN, for those that prefer a table"
    )


class LogSettings(Section):
    """``[log]``: where the workers write what they do."""

    file: str | None = Field(None, description="relative to the root; default: none")
    level: Literal["debug", "info", "notice", "warning", "error", "critical"] = Field(
        "info", description="what is less important is left out"
    )


TransportEntry = Annotated[TransportSettings, BeforeValidator(_dsn_alone)]
ModuleName = Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)*$")]
Names = Annotated[list[str], BeforeValidator(_one_name)]


class Settings(Section):
    """The whole file."""

    root: str = Field(
        ".", description="what relative files and imports start from; from this file's directory"
    )
    modules: list[ModuleName] = Field(
        default_factory=list, alias="import", description="modules with messages and handlers"
    )
    failure_transport: str | None = Field(
        None, description="the transport for messages that were given up"
    )
    restart_flag: str | None = Field(
        None, description="the transport that keeps the wish of stop-workers; default: each its own"
    )
    transports: dict[str, TransportEntry] = Field(
        default_factory=dict, description="queues by name"
    )
    routing: dict[str, Names] = Field(
        default_factory=dict, description="a class, or a wildcard, to one or more transports"
    )
    log: LogSettings = Field(default_factory=LogSettings, description="the log of the workers")

    def unknown_transports(self) -> Iterator[tuple[list[str], str]]:
        """Give the keys and the name wherever a transport is named that does not exist."""
        named: list[tuple[list[str], str | None]] = [
            (["failure_transport"], self.failure_transport),
            (["restart_flag"], self.restart_flag),
        ]
        for name, transport in self.transports.items():
            named.append((["transports", name, "failure_transport"], transport.failure_transport))
        for rule, names in self.routing.items():
            named += ((["routing", rule], name) for name in names)
        for keys, wanted in named:
            if wanted is not None and wanted not in self.transports:
                yield keys, wanted
