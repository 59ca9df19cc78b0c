"""``[unix_http_server]`` and ``[inet_http_server]`` into the sockets to answer on."""

from __future__ import annotations

import os

from supervise.config.expand import Names
from supervise.config.model import InetServer, UnixServer
from supervise.config.section import Findings, Section
from supervise.config.surroundings import Surroundings
from supervise.config.validate import Known, expanded, validated
from supervise.core.spec import ServerSpec

LONGEST_SOCKET = 107  # bytes that a socket's address has room for on Linux


def servers(
    known: Known, names: Names, surroundings: Surroundings, findings: Findings
) -> tuple[ServerSpec, ...]:
    """Give the TCP servers, then the Unix ones, each kind in the order of the files."""
    inet = [_inet(section, names, findings) for section in known["inet_http_server"]]
    unix = [_unix(section, names, surroundings, findings) for section in known["unix_http_server"]]
    return tuple(server for server in (*inet, *unix) if server is not None)


def _inet(section: Section, names: Names, findings: Findings) -> ServerSpec | None:
    model = validated(section, InetServer, expanded(section, names, findings), findings)
    if model is None:
        return None
    host, port = model.port
    return ServerSpec(
        section=section.name,
        host=host,
        port=port,
        username=model.username,
        password=model.password,
        allow_unauthenticated=model.allow_unauthenticated,
    )


def _unix(
    section: Section, names: Names, surroundings: Surroundings, findings: Findings
) -> ServerSpec | None:
    model = validated(section, UnixServer, expanded(section, names, findings), findings)
    if model is None:
        return None
    path = surroundings.absolute(model.file.strip())
    length = len(os.fsencode(path))
    if length > LONGEST_SOCKET:
        text = f"{path} is too long for a socket: {length} bytes, at most {LONGEST_SOCKET}"
        findings.problem(section, "file", text)
    uid = gid = -1
    if model.chown is not None:
        try:
            uid, gid = surroundings.accounts.owner(model.chown)
        except ValueError as error:
            findings.problem(section, "chown", str(error))
    return ServerSpec(
        section=section.name,
        path=path,
        mode=model.chmod,
        owner_uid=uid,
        owner_gid=gid,
        username=model.username,
        password=model.password,
    )
