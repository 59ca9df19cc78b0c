"""Which configuration file, and which socket is in it: for superd and superctl alike.

Standard library only and quick to import, since superctl is run in loops: no pydantic,
no configparser, tomllib only for TOML. Of a file only the two sections that a client
needs are looked at; whatever else is wrong in it is not a client's business. Source of
the rules: Supervisor 4.3, ``options.Options`` and ``options.ClientOptions``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from supervise.errors import ConfigError

DEFAULT_URL = "http://localhost:9001"

_Values = dict[str, tuple[str, int]]  # each with its line; 0 if we do not know it


class ClientSettings:
    """What ``[supervisorctl]`` says, ready to use; ``source`` is the file, if any."""

    __slots__ = ("history_file", "password", "prompt", "serverurl", "source", "username")

    def __init__(
        self,
        *,
        serverurl: str = DEFAULT_URL,
        username: str | None = None,
        password: str | None = None,
        prompt: str = "supervisor",
        history_file: str | None = None,
        source: str | None = None,
    ) -> None:
        self.serverurl = serverurl
        self.username = username
        self.password = password
        self.prompt = prompt
        self.history_file = history_file
        self.source = source


def search_paths(argv0: str, cwd: str) -> list[str]:
    """Give the files that are looked for when none is named, the first one that exists counts."""
    beside = os.path.dirname(os.path.dirname(argv0))
    return [
        os.path.normpath(os.path.join(cwd, path))
        for path in (
            "etc/superd.toml",
            "superd.toml",
            os.path.join(beside, "etc/supervisord.conf"),
            os.path.join(beside, "supervisord.conf"),
            "supervisord.conf",
            "etc/supervisord.conf",
            "/etc/superd.toml",
            "/etc/supervisord.conf",
            "/etc/supervisor/supervisord.conf",
        )
    ]


def find(explicit: str | None, argv0: str, cwd: str) -> str | None:
    """Give the absolute path of the configuration file, or None if there is none.

    A file that was named (``-c``) is taken whether it exists or not: who reads it complains.
    """
    if explicit is not None:
        return os.path.join(cwd, os.path.expanduser(explicit))
    return next((path for path in search_paths(argv0, cwd) if os.path.exists(path)), None)


def client_settings(
    path: str | None, environ: Mapping[str, str] | None = None, cwd: str | None = None
) -> ClientSettings:
    """Give how to reach the daemon that ``path`` configures.

    Without a ``serverurl`` it is the first Unix socket of the same file, with its user
    and password if that is plain; without any it is ``http://localhost:9001``.

    Raises:
        ConfigError: the file cannot be read, or one of these values not be expanded.
    """
    if path is None:
        return ClientSettings()
    cwd = os.getcwd() if cwd is None else cwd
    sections = _toml(path) if path.endswith(".toml") else _ini(_text(path))
    names = _names(os.environ if environ is None else environ, path, cwd)
    client = _Section("supervisorctl", sections, path, names)
    server = next(
        (
            _Section(name, sections, path, names)
            for name in sections
            if name.partition(":")[0] == "unix_http_server"
        ),
        None,
    )
    history = client.get("history_file")
    url = client.get("serverurl")
    socket = server.get("file") if server is not None else None
    username, password = client.get("username"), client.get("password")
    if url is None and socket is not None and server is not None:
        url = f"unix://{socket.strip()}"
        if username is None and password is None:
            username, password = _plain_credentials(server)
    return ClientSettings(
        serverurl=_absolute_url(url or DEFAULT_URL, cwd),
        username=username,
        password=password,
        prompt=client.get("prompt") or "supervisor",
        history_file=_absolute(history, cwd) if history else None,
        source=path,
    )


class _Names(dict[str, str]):
    """What can be expanded. A bare ``%s`` would print all of it, secrets too: it may not."""

    def __str__(self) -> str:
        raise ValueError("a name in parentheses must follow the %")

    __repr__ = __str__


class _Section:
    """One section's values, expanded when they are asked for."""

    def __init__(
        self, name: str, sections: Mapping[str, _Values], path: str, names: _Names
    ) -> None:
        self._name = name
        self._values = sections.get("DEFAULT", {}) | sections.get(name, {})
        self._path = path
        self._names = names

    def get(self, key: str) -> str | None:
        """Give a value, or None. Raises ConfigError if it cannot be expanded."""
        found = self._values.get(key)
        if found is None:
            return None
        value, line = found
        try:
            return value % self._names if "%" in value else value
        except KeyError as error:
            text = f"{value!r} contains names ({error}) which cannot be expanded"
        except (TypeError, ValueError) as error:
            text = f"{value!r} is badly formatted: {error}; a literal % is written %%"
        place = f"{self._path}:{line}" if line else self._path
        raise ConfigError([f"{place}: [{self._name}] {key}: {text}"])


def _plain_credentials(server: _Section) -> tuple[str | None, str | None]:
    password = server.get("password")
    if password is None or password.startswith("{SHA}"):
        return None, None
    return server.get("username"), password


def _names(environ: Mapping[str, str], path: str, cwd: str) -> _Names:
    names = _Names({f"ENV_{key}": value for key, value in environ.items()})
    names["here"] = os.path.dirname(_absolute(path, cwd))
    names["host_node_name"] = os.uname().nodename
    return names


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as stream:
            return stream.read()
    except FileNotFoundError:
        raise ConfigError([f"could not find config file {path}"]) from None
    except OSError as error:
        raise ConfigError([f"could not read config file {path}: {error.strerror}"]) from error


def _toml(path: str) -> dict[str, _Values]:
    import tomllib  # noqa: PLC0415 - most files are INI

    text = _text(path)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _broken_toml(text)
        if not found:
            raise ConfigError([f"{path}: not valid TOML: {error}"]) from error
        return found
    sections: dict[str, _Values] = {}
    for kind, table in document.items():
        if not isinstance(table, dict):
            continue
        sections[kind] = _texts(table)
        for name, inner in table.items():
            if isinstance(inner, dict):
                sections[f"{kind}:{name}"] = _texts(inner)
    return {name: values for name, values in sections.items() if values}


def _broken_toml(text: str) -> dict[str, _Values]:
    """Give the simple strings of a file that somebody is in the middle of editing.

    The daemon that it once configured still runs, and has to be reached to say what is wrong.
    """
    sections: dict[str, _Values] = {}
    for name, values in _ini(text).items():
        for key, (value, line) in values.items():
            quote = value[:1]
            if quote in ("'", '"') and value.count(quote) > 1:
                inner = value[1 : value.index(quote, 1)]
                sections.setdefault(name.replace(".", ":", 1), {})[key] = (inner, line)
    return sections


def _texts(table: Mapping[str, object]) -> _Values:
    return {key: (str(each), 0) for key, each in table.items() if isinstance(each, str | int)}


def _ini(text: str) -> dict[str, _Values]:
    """Read supervisord's dialect, and step over what is none."""
    sections: dict[str, _Values] = {}
    values: _Values | None = None
    key = ""
    indent = 0
    for number, line in enumerate(text.split("\n"), start=1):
        content = _without_comment(line).strip()
        own = len(line) - len(line.lstrip())
        if not content or (key and own > indent):  # the second goes on with a value
            continue
        indent, key = own, ""
        if content.startswith("[") and "]" in content:
            values = sections.setdefault(content[1 : content.rindex("]")], {})
        elif values is not None:
            key, value = _option(content)
            values[key] = (value, number)
    return sections


def _option(content: str) -> tuple[str, str]:
    at = min((at for at in (content.find("="), content.find(":")) if at >= 0), default=0)
    return content[:at].rstrip().lower(), content[at + 1 :].strip()


def _without_comment(line: str) -> str:
    if ";" not in line and "#" not in line:
        return line
    for at, character in enumerate(line):
        if character in ";#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


def _absolute_url(url: str, cwd: str) -> str:
    scheme = "unix://"
    if not url.startswith(scheme):
        return url
    return scheme + _absolute(url.removeprefix(scheme), cwd)


def _absolute(path: str, cwd: str) -> str:
    return os.path.normpath(os.path.join(cwd, os.path.expanduser(path)))
