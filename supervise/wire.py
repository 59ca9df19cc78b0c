"""Frames of the native protocol: one JSON object a line, no I/O.

A connection whose first byte is ``{`` carries requests one after another:

    {"id": 1, "method": "start", "params": {"names": ["web:*"], "wait": true}}

and for each request any number of results, each sent the moment it is known,
then exactly one end:

    {"id": 1, "result": {...}}
    {"id": 1, "end": {}}                                        all done
    {"id": 1, "error": {"code": "BAD_NAME", "text": "..."}}     refused as a whole

A server with a password wants ``"auth": {"username": ..., "password": ...}`` in the
first request of a connection; without it the error code is ``UNAUTHORIZED``.

Methods, their params and what each result holds (``wait`` defaults to true):

    status    names=[]            {"name", "group", "process", "state", "description", "pid",
                                   "start", "stop", "now", "exitstatus", "spawnerr", "logfile",
                                   "stdout_logfile", "stderr_logfile", "uptime", "restarts",
                                   "last_exit", "adopted", "reason"}
    start     names, wait         {"name", "group", "process", "code", "text", "hint": [...]}
    stop      names, wait         the same
    restart   names, wait         the same, two for each: code "stopped", then "started"
    signal    signal, names       the same
    clear     names               the same
    pid       names=[]            {"name", "pid"}; without names the daemon's own
    tail      name, channel, bytes, follow=false          {"data": "..."}, many when following
    maintail  bytes, follow=false                         the same
    reread                        {"group", "code": "available"|"changed"|"disappeared"}, and at
                                   last {"warnings": [...]}, lines about the files, if any
    update    groups=[]           {"group", "code": "stopped"|"removed"|"updated"|"added", "text"},
                                   the code FAILED where one cannot be stopped, and at last
                                   the warnings again
    add       groups              {"group", "code", "text"}
    remove    groups              {"group", "code", "text"}
    avail                         {"name", "group", "process", "in_use", "autostart",
                                   "group_priority", "process_priority"}
    reload                        {}     answered before it is done
    shutdown  wait=false          {}     the same; with wait=true the end of the answer comes
                                         when everything has stopped
    version                       {"version"}
    info                          {"version", "pid", "identification", "state"}

``code`` of a result for one process or group is a success in lower case ("started",
"stopped", "signalled", "cleared", "added", "removed") or the name of a Fault
("BAD_NAME", "ALREADY_STARTED"); "text" explains a failure to people. A name that means
nothing is such a result (code "BAD_NAME", "process": null for a whole group), not an
error: the other names go on. ``hint`` are lines for people: where to look, last output.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # typing.TYPE_CHECKING would cost superctl the 6 ms of importing typing
if TYPE_CHECKING:
    from typing import Any

MAX_REQUEST = 256 * 1024  # bytes; a request that does not end within them is refused
MAX_FRAME = 16 * 1024 * 1024  # bytes; what a client accepts as one result

Frame = dict[str, "Any"]


class FrameError(ValueError):
    """Bytes that are not a frame; the text says what is wrong with them."""


def encode(frame: Frame) -> bytes:
    """Give ``frame`` as one line of UTF-8 that ends with a newline.

    Only what is no text (a file name of strange bytes, half a character from a
    client) makes all of its frame ASCII: escapes can carry it, UTF-8 cannot.
    """
    try:
        line = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        line = json.dumps(frame, separators=(",", ":")).encode()
    return line + b"\n"


def decode(line: bytes) -> Frame:
    """Take one line apart.

    Raises:
        FrameError: it is no JSON object, or its ``id`` is none that can be sent back.
    """
    try:
        frame = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not a JSON frame: {error}") from error
    if not isinstance(frame, dict):
        raise FrameError(f"not a JSON object but {type(frame).__name__}")
    if isinstance(frame.get("id"), (dict, list)):  # nested as deep as it could just be read
        kind = type(frame["id"]).__name__
        raise FrameError(f"not a JSON frame: its id is a {kind}, it should be a number or a string")
    return frame


def request(number: int, method: str, params: Frame, auth: Frame | None = None) -> Frame:
    """Give a request frame; ``auth`` goes into the first one of a connection."""
    frame: Frame = {"id": number, "method": method, "params": params}
    if auth is not None:
        frame["auth"] = auth
    return frame


def result(number: object, value: Frame) -> Frame:
    """Give one of any number of results of request ``number``."""
    return {"id": number, "result": value}


def end(number: object) -> Frame:
    """Give the end of request ``number``, which was carried out."""
    return {"id": number, "end": {}}


def error(number: object, code: str, text: str) -> Frame:
    """Give the end of request ``number``, which was refused as a whole."""
    return {"id": number, "error": {"code": code, "text": text}}
