"""Whatever a stranger sends: an answer or a closed door, and the daemon as it was."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

from hypothesis import example, given, settings, strategies as st

from supervise.control.native import METHODS
from tests.support.daemon import Client, Daemon

PROGRAM = "[program:x]\ncommand=sleep 1000\nstartsecs=0\n"
HARMLESS = sorted(METHODS.keys() - {"shutdown", "reload"})
NAMES = st.sampled_from(["x", "x:*", "all", "nosuch", "*", "[", "", ":", "x:x", "\0", "\ud800"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
SIGNALS = st.sampled_from(["TERM", "HUP", "²", "0", "-1", "KILL", ""]) | VALUES
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "names": st.lists(NAMES, max_size=3) | VALUES,
        "groups": st.lists(NAMES, max_size=3) | VALUES,
        "name": NAMES | VALUES,
        "signal": SIGNALS,
        "channel": st.sampled_from(["stdout", "stderr"]) | VALUES,
        "bytes": st.integers(-(2**70), 2**70) | VALUES,
        "follow": st.just(False) | st.integers() | st.none(),
        "wait": st.booleans() | VALUES,
    },
)
FRAMES = st.fixed_dictionaries(
    {"method": st.sampled_from(HARMLESS) | VALUES, "params": PARAMS | VALUES},
    optional={"id": VALUES, "auth": VALUES},
)
LINES = st.one_of(
    FRAMES.map(lambda frame: json.dumps(frame).encode() + b"\n"),
    st.binary(max_size=200),
    st.binary(max_size=200).map(lambda rest: b"{" + rest + b"\n"),
)


def _talk(client: Client, data: bytes) -> None:
    """Send ``data`` and listen until the daemon hangs up, which it may do at any moment."""
    with contextlib.suppress(ConnectionError):
        client.socket.sendall(data)
        client.socket.shutdown(socket.SHUT_WR)
        while client.socket.recv(1 << 16):
            pass


def test_no_bytes_of_a_client_disturb_the_daemon(tmp_path: Path) -> None:
    with Daemon(tmp_path, PROGRAM) as daemon:

        @given(st.lists(LINES, max_size=3))
        @example([b'{"method":"signal","params":{"names":["x"],"signal":"\xc2\xb2"}}\n'])
        @settings(max_examples=300)
        def bombard(lines: list[bytes]) -> None:
            with daemon.client() as client:
                _talk(client, b"".join(lines))

        bombard()

        assert daemon.call("info")[0]["pid"] == daemon.pid
        log = (tmp_path / "superd.log").read_text()
        assert "a request failed" not in log
        assert "bug" not in log
