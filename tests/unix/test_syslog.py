"""Lines to syslog: one datagram each, and never a wait."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervise.unix.syslog import ERR, INFO, Syslog


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        server.settimeout(5)
        yield server


def test_a_line_is_one_datagram_with_its_severity(daemon: socket.socket, tmp_path: Path) -> None:
    sender = Syslog("super", str(tmp_path / "log"))

    sender.send(ERR, "ö happened")
    sender.close()

    line = daemon.recv(1000).decode()
    pattern = rf"<11>\w{{3}} [ \d]\d \d\d:\d\d:\d\d super\[{os.getpid()}\]: ö happened"
    assert re.fullmatch(pattern, line)


def test_a_syslog_that_is_not_there_or_does_not_read_costs_lines_and_not_time(
    daemon: socket.socket, tmp_path: Path
) -> None:
    nobody = Syslog("super", str(tmp_path / "none"))
    full = Syslog("super", str(tmp_path / "log"))

    nobody.send(INFO, "x")
    for _ in range(5000):
        full.send(INFO, "x" * 1000)
    full.close()

    assert nobody.lost == 1
    assert full.lost > 0
    assert daemon.recv(2000)


def test_a_restarted_syslog_is_found_again(daemon: socket.socket, tmp_path: Path) -> None:
    sender = Syslog("super", str(tmp_path / "log"))
    sender.send(INFO, "first")
    daemon.close()
    (tmp_path / "log").unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as newer:
        newer.bind(str(tmp_path / "log"))
        newer.settimeout(5)

        sender.send(INFO, "second")
        sender.close()

        assert newer.recv(1000).endswith(b"second")
    assert sender.lost == 0
