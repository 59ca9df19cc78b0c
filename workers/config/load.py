"""From messenger.toml and .env to a ``Configuration``: find, read, check, explain.

Source of the places: ours; of the keys: ``model``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

import dotenv
from pydantic import BaseModel, ValidationError

from workers.config.lines import line_of
from workers.config.model import LogSettings, Retry, Settings, TransportSettings
from workers.errors import ConfigError, did_you_mean

PLACES = ("messenger.toml", "etc/messenger.toml")
VARIABLE = "MESSENGER_CONFIG"

_LINE = re.compile(r"^(?P<text>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and where they came from. ``environ`` holds what ``.env`` added too."""

    file: Path
    root: Path
    settings: Settings
    environ: Mapping[str, str]

    @property
    def log_file(self) -> Path | None:
        """The absolute path of the workers' log, if there is to be one."""
        file = self.settings.log.file
        return None if file is None else Path(self.root, file)


def find(path: str | Path | None, environ: Mapping[str, str], directory: Path) -> Path:
    """Give the file to read: ``path``, ``$MESSENGER_CONFIG``, or one of the usual places.

    Raises:
        ConfigError: there is none; the text says where it was looked for.
    """
    named = path or environ.get(VARIABLE)
    if named:
        file = Path(directory, named)
        if not file.is_file():
            source = "" if path else f" (from ${VARIABLE})"
            raise ConfigError([f"{named}{source}: no such file"])
        return file
    for place in PLACES:
        file = directory / place
        if file.is_file():
            return file
    listed = " and ".join(f"./{place}" for place in PLACES)
    raise ConfigError([f"no messenger.toml: looked for {listed}; name one with -c or ${VARIABLE}"])


def read(file: Path, environ: MutableMapping[str, str]) -> Configuration:
    """Read ``file`` and the ``.env`` beside it.

    What ``.env`` says is added to ``environ`` where that has nothing: handlers
    read their own settings there. The real environment wins.

    Raises:
        ConfigError: every problem of the file, with its line.
    """
    text = _text(file)
    settings = _settings(file, text)
    for name, value in _dotenv(file.parent / ".env").items():
        environ.setdefault(name, value)
    file = file.absolute()
    return Configuration(file, Path(file.parent, settings.root).resolve(), settings, environ)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{file}: is not UTF-8 (byte {error.start})"]) from error


def _settings(file: Path, text: str) -> Settings:
    try:
        settings = Settings.model_validate(tomllib.loads(text))
    except RecursionError as error:
        raise ConfigError([f"{file}: is nested too deeply"]) from error
    except tomllib.TOMLDecodeError as error:
        found = _LINE.match(str(error))
        line = (found["line"] if found else None) or text.count("\n") + 1
        raise ConfigError([f"{file}:{line}: {found['text'] if found else error}"]) from error
    except ValidationError as error:
        raise ConfigError(list(_explained(file, text, error))) from error
    problems = [
        f"{file}{line_of(text, keys)}: {_place(keys)}: "
        f'no transport is called "{name}"{did_you_mean(name, settings.transports)}'
        for keys, name in settings.unknown_transports()
    ]
    if problems:
        raise ConfigError(problems)
    return settings


def _dotenv(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    try:
        values = dotenv.dotenv_values(file, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: cannot be read: {error}"]) from error
    return {name: value for name, value in values.items() if value is not None}


def _explained(file: Path, text: str, error: ValidationError) -> Iterable[str]:
    """Give a line for each problem: where it is, what is wrong, what would be right."""
    for problem in error.errors(include_url=False):
        keys = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            message = f"no such key{did_you_mean(keys[-1], _known(keys))}"
        elif problem["type"] == "model_type":
            dsn = "a DSN in quotes, or " if keys[0] == "transports" and len(keys) == 2 else ""  # noqa: PLR2004 - [transports] name
            message = f"should be {dsn}a table"
        else:
            message = problem["msg"][:1].lower() + problem["msg"][1:]
        yield f"{file}{line_of(text, keys)}: {_place(keys)}: {message}"


def _place(keys: list[str]) -> str:
    return keys[0] if len(keys) == 1 else f"[{keys[0]}] {'.'.join(keys[1:])}"


def _known(keys: list[str]) -> list[str]:
    """Give the keys that exist where ``keys`` ends."""
    model: type[BaseModel] = Settings
    match keys:
        case ["log", _]:
            model = LogSettings
        case ["transports", _, "retry", _]:
            model = Retry
        case ["transports", _, _]:
            model = TransportSettings
        case _:
            pass
    return [field.alias or name for name, field in model.model_fields.items()]
