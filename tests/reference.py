"""The configuration reference of the README, written from the models themselves.

`python -m tests.reference` puts it between the two marks in README.md; a test compares.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from workers.config import model as workers

from supervise.config import model as supervise
from supervise.config.fields import Words

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN = "<!-- reference: written by `python -m tests.reference`, from the models -->\n"
END = "<!-- end of the reference -->\n"

SECTIONS: list[tuple[str, type[BaseModel], type[BaseModel] | None]] = [
    ("[supervisord]", supervise.Supervisord, None),
    ("[unix_http_server]", supervise.UnixServer, None),
    ("[inet_http_server]", supervise.InetServer, None),
    ("[supervisorctl]", supervise.Supervisorctl, None),
    ("[program:NAME] ([program.NAME] in TOML)", supervise.Program, None),
    ("[group:NAME]", supervise.Group, None),
    (
        "[eventlistener:NAME]: those of [program:NAME], and",
        supervise.EventListener,
        supervise.Program,
    ),
    ("[fcgi-program:NAME]: those of [program:NAME], and", supervise.FcgiProgram, supervise.Program),
    ("[include]", supervise.Include, None),
    ("messenger.toml", workers.Settings, None),
    ("messenger.toml, a transport written as a table", workers.TransportSettings, None),
    ("messenger.toml, retry = {...} of a transport", workers.Retry, None),
    ("messenger.toml, [log]", workers.LogSettings, None),
]


def render() -> str:
    """Give the whole reference as Markdown."""
    return "\n".join(_section(title, model, base) for title, model, base in SECTIONS)


def _section(title: str, model: type[BaseModel], base: type[BaseModel] | None) -> str:
    known = {} if base is None else base.model_fields
    rows = [
        _row(field.alias or name, field)
        for name, field in model.model_fields.items()
        if name not in known or known[name].default != field.default
    ]
    head = f"#### `{title}`\n\n| key | value | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{name}` | {_type(field)} | {_default(field)} | {meaning} |\n"


def _type(field: FieldInfo) -> str:
    for extra in field.metadata:
        if isinstance(extra, Words):
            return extra.text.replace("|", "\\|")
    for part in getattr(field.annotation, "__args__", ()):
        for extra in getattr(part, "__metadata__", ()):
            if isinstance(extra, Words):
                return extra.text.replace("|", "\\|")
    names = {str: "text", int: "number", float: "number", bool: "true or false"}
    annotation = field.annotation
    if (origin := get_origin(annotation)) in (dict, list):
        return "table" if origin is dict else "list"
    return names.get(annotation, "table") if isinstance(annotation, type) else "text"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if field.is_required() or value is PydanticUndefined:
        return "required"
    if value is None or value in ((), {}, []):
        return ""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, int) and value and value % (1024 * 1024) == 0:
        value = f"{value // (1024 * 1024)}MB"
    if "octal" in _type(field) and isinstance(value, int):
        value = f"{value:04o}"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if isinstance(value, BaseModel):
        return "see below"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def written() -> str:
    """Give what stands between the marks now."""
    text = README.read_text()
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def write() -> None:
    """Put the reference where it belongs."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    README.write_text(before + BEGIN + render() + END + rest.split(END)[1])


if __name__ == "__main__":
    write()
