"""The composition root: one messenger.toml becomes a bus, its transports and its handlers.

Only the file is read at once. Modules are imported and transports opened when
they are first needed, so a module may itself say ``bus = load().bus`` at its
top, and an environment variable that is not set hurts only who uses it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Self

from workers import handlers as marked
from workers.bus import Bus
from workers.config.load import Configuration, find, read
from workers.config.model import Settings
from workers.envelope import Envelope
from workers.errors import ConfigError, did_you_mean
from workers.handlers import Handlers
from workers.message import Messages, is_message, lineage
from workers.middleware.base import Middleware
from workers.middleware.handle import Handle
from workers.middleware.log import Log
from workers.middleware.send import Send
from workers.middleware.stamp import AddBusName
from workers.retry import RetryPolicy
from workers.routing import Routing, is_wildcard
from workers.serializer import Serializer
from workers.transports import dsn as dsns
from workers.transports.base import RestartFlag, Transport
from workers.transports.factory import create

BUS_NAME = "messenger.bus.default"
"""What Symfony calls the bus of an application that has one."""


def load(path: str | Path | None = None, environ: MutableMapping[str, str] | None = None) -> App:
    """Read the configuration and give the program it describes.

    Without ``path``: ``$MESSENGER_CONFIG``, ``./messenger.toml``, ``./etc/messenger.toml``.
    A ``.env`` beside the file is added to ``environ`` (default: that of the
    process) where that has nothing of the name.

    Raises:
        ConfigError: there is no such file, or it is not right; a line for each problem.
    """
    environ = os.environ if environ is None else environ
    return App(read(find(path, environ, _here()), environ))


class App:
    """Everything that one messenger.toml describes; also a context manager that closes it."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.settings: Settings = configuration.settings
        self.root: Path = configuration.root
        self.routing = Routing(self.settings.routing)
        self.handlers = Handlers(lambda: marked.collect(self.modules))
        self.messages = Messages(self._message_classes)
        self.serializer = Serializer(self.messages)
        self._handle = Handle(self.handlers)
        self.bus = Bus(self._middleware)
        self.transports = Transports(configuration, self.serializer, self.bus)

    @cached_property
    def modules(self) -> Sequence[ModuleType]:
        """The modules of ``import``, and whatever they imported of their own packages.

        Raises:
            ConfigError: one of them does not exist. What a module itself raises is
                not touched: its traceback says where.
        """
        root = str(self.root)
        if root not in sys.path:
            sys.path.append(root)  # last: a file there must never stand in for one of ours
        for name in self.settings.modules:
            _import(name, self.configuration)
        inside = tuple(f"{name}." for name in self.settings.modules)
        named = {name: sys.modules[name] for name in self.settings.modules}
        loaded = {name: one for name, one in sys.modules.items() if name.startswith(inside)}
        return tuple((named | loaded).values())

    def check(self) -> None:
        """Import the modules and look at everything that a dispatch would rely on.

        Raises:
            ConfigError: a handler, a message or a rule of the routing is not right.
        """
        _ = self.handlers.all, self.messages.kinds
        self._check_routing()

    def retry_policy(self, transport: str) -> RetryPolicy:
        """Give the retry policy of ``transport``."""
        retry = self.settings.transports[transport].retry
        return RetryPolicy(
            retry.max_retries, retry.delay, retry.multiplier, retry.max_delay, retry.jitter
        )

    def failure_transport(self, transport: str) -> str | None:
        """Give the transport for what ``transport`` gives up; None if there is no other."""
        own = self.settings.transports[transport].failure_transport
        name = own or self.settings.failure_transport
        return None if name == transport else name

    @property
    def failure_transports(self) -> frozenset[str]:
        """The transports that are the failure transport of any other."""
        found = (self.failure_transport(name) for name in self.settings.transports)
        return frozenset(name for name in found if name is not None)

    def restart_flags(self, transports: Sequence[str]) -> list[RestartFlag]:
        """Give the stores that tell the workers of ``transports`` to stop.

        Raises:
            ConfigError: ``restart_flag`` names a transport that nobody could hear.
        """
        flag = self.settings.restart_flag
        opened = [self.transports[name] for name in ([flag] if flag else transports)]
        found: list[RestartFlag] = [one for one in opened if isinstance(one, RestartFlag)]
        if flag and not found:
            text = f'restart_flag: transport "{flag}" cannot keep it; name one with sqlite://'
            raise ConfigError([f"{self.configuration.file}: {text}"])
        return found

    def close(self) -> None:
        """Close what was opened. May be called twice."""
        self.transports.close()
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _middleware(self) -> list[Middleware]:
        self.check()
        send = Send(self.routing, self.transports)
        return [AddBusName(BUS_NAME), Log(), send, self._handle]

    def _message_classes(self) -> list[type]:
        """Give what may arrive: all that is handled, and every message class of the modules."""
        handled = [kind for handler in self.handlers.all for kind in handler.types]
        own = [
            thing
            for module in self.modules
            for thing in vars(module).values()
            if isinstance(thing, type) and thing.__module__ == module.__name__
        ]
        return [kind for kind in dict.fromkeys(handled + own) if is_message(kind)]

    def _check_routing(self) -> None:
        """Refuse a rule for a class that does not exist: its messages would go nowhere."""
        rules = [rule for rule in self.routing.rules if not is_wildcard(rule)]
        known = {name for kind in self.messages.kinds.values() for name in lineage(kind)}
        problems = [
            f'{self.configuration.file}: [routing] "{rule}": there is no such class'
            f"{did_you_mean(rule, self.messages.kinds)}"
            for rule in rules
            if rule not in known and not _exists(rule)
        ]
        if problems:
            raise ConfigError(problems)


class Transports(Mapping[str, Transport]):
    """The transports by name, each made when it is first asked for."""

    def __init__(self, configuration: Configuration, serializer: Serializer, bus: Bus) -> None:
        self._configuration = configuration
        self._serializer = serializer
        self._bus = bus
        self._made: dict[str, Transport] = {}

    def __getitem__(self, name: str) -> Transport:
        """Give the transport.

        Raises:
            ConfigError: there is none of this name, or its DSN cannot be used.
            NotConfiguredError: its DSN needs an environment variable that is not set.
        """
        transport = self._made.get(name)
        if transport is None:
            transport = self._made[name] = self._make(name)
        return transport

    def __contains__(self, name: object) -> bool:
        return name in self._configuration.settings.transports

    def __iter__(self) -> Iterator[str]:
        return iter(self._configuration.settings.transports)

    def __len__(self) -> int:
        return len(self._configuration.settings.transports)

    def close(self) -> None:
        """Close those that were made. May be called twice; a later use opens them again."""
        for transport in self._made.values():
            transport.close()

    def _make(self, name: str) -> Transport:
        configuration = self._configuration
        entry = configuration.settings.transports.get(name)
        if entry is None:
            hint = did_you_mean(name, self) or f" (there are {', '.join(self) or 'none'})"
            raise ConfigError([f'no transport is called "{name}"{hint}'])
        here = str(configuration.file.parent)
        text = dsns.expand(name, entry.dsn, configuration.environ, here)
        options = {key: _as_text(value) for key, value in entry.options.items()}
        dsn = dsns.parse(name, text, options)
        return create(name, dsn, self._serializer, self._dispatch, configuration.root)

    def _dispatch(self, envelope: Envelope) -> Envelope:
        return self._bus.dispatch(envelope)


def _here() -> Path:
    """The working directory; where it was removed, an absolute ``path`` still works."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path()


def _as_text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _import(name: str, configuration: Configuration) -> None:
    try:
        importlib.import_module(name)
    except SystemExit as error:
        text = f'import: "{name}" ended the program (SystemExit: {error})'
        raise ConfigError([f"{configuration.file}: {text}"]) from error
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # it exists, and misses something itself
        raise ConfigError(
            [f'{configuration.file}: import: there is no module "{name}" in {configuration.root}']
        ) from error


def _exists(rule: str) -> bool:
    """Tell whether ``module.Class`` is there, importing the module: our configuration names it."""
    module, _, name = rule.rpartition(".")
    try:
        return isinstance(getattr(importlib.import_module(module), name, None), type)
    except (ImportError, ValueError, TypeError):
        return False
