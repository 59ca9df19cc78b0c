"""No client costs the others, or the daemon, anything: strangers send anything and vanish."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
from pathlib import Path

import pytest

from supervise import wire
from tests.support.children import STUBBORN, Announcements, command, eventually, kill
from tests.support.daemon import Client, Daemon, Refused

SLEEPER = (
    "[program:{}]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
)


def _raw(daemon: Daemon) -> socket.socket:
    raw = socket.socket(socket.AF_UNIX)
    raw.settimeout(15)
    raw.connect(str(daemon.socket))
    return raw


def _read_all(raw: socket.socket) -> bytes:
    data = b""
    while True:
        try:
            chunk = raw.recv(1 << 16)
        except ConnectionError:
            return data
        if not chunk:
            return data
        data += chunk


def _as_before(daemon: Daemon, before: int) -> None:
    """Wait until the daemon has given back what a client cost it."""
    eventually(lambda: daemon.settled_fds() == before, f"back to {before} descriptors")


def _slow(home: Path, said: Announcements) -> str:
    stubborn = command(home, STUBBORN, said.path)
    return f"[program:slow]\ncommand={stubborn}\nstartsecs=0\nstopwaitsecs=1000\n"


@pytest.mark.parametrize("half", [False, True], ids=["closed", "half-closed first"])
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("stop", {"names": ["slow"]}),
        ("restart", {"names": ["slow"]}),
        ("tail", {"name": "slow", "follow": True}),
        ("maintail", {"follow": True}),
    ],
)
def test_a_client_that_hangs_up_in_the_middle_leaves_nothing_behind(
    tmp_path: Path, method: str, params: dict[str, object], half: bool
) -> None:
    with Announcements(tmp_path) as said:
        program = _slow(tmp_path, said)
        with Daemon(tmp_path, program, supervisord="shutdown_timeout=0.1") as daemon:
            said.line()
            before = daemon.settled_fds()
            client = daemon.client()
            client.ask(method, params)
            daemon.call("info")
            if half:
                client.socket.shutdown(socket.SHUT_WR)
                daemon.call("info")

            client.close()

            _as_before(daemon, before)


def test_a_restart_is_finished_for_a_client_that_hung_up(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said:
        program = _slow(tmp_path, said)
        with Daemon(tmp_path, program, supervisord="shutdown_timeout=0.1") as daemon:
            first = int(said.line())
            client = daemon.client()
            client.ask("restart", {"names": ["slow"]})
            daemon.expect("waiting for slow to stop")
            client.close()
            daemon.call("info")

            kill(first)

            assert int(said.line()) != first


def test_a_command_counts_although_its_client_never_listens(tmp_path: Path) -> None:
    with Daemon(tmp_path, SLEEPER.format("x")) as daemon:
        daemon.running("x")
        client = daemon.client()

        client.ask("stop", {"names": ["nosuch", "x"]})
        client.close()

        daemon.expect("stopped: x")


def test_half_closed_clients_still_get_their_answer(tmp_path: Path) -> None:
    with Announcements(tmp_path) as said, Daemon(tmp_path, _slow(tmp_path, said)) as daemon:
        child = int(said.line())
        with daemon.client() as client:
            client.ask("stop", {"names": ["slow"]})
            client.socket.shutdown(socket.SHUT_WR)
            daemon.expect("waiting for slow to stop")
            daemon.call("info")

            kill(child)

            assert [answer["code"] for answer in client.answers()] == ["stopped"]
            assert client.frame() is None


def test_requests_of_one_connection_are_answered_in_their_order(tmp_path: Path) -> None:
    with Daemon(tmp_path, SLEEPER.format("x")) as daemon, daemon.client() as client:
        asked = range(3000)  # more than is read ahead
        requests = b"".join(wire.encode(wire.request(n, "version", {})) for n in asked)
        client.socket.setblocking(False)
        answered: list[int] = []
        while len(answered) < len(asked):
            if requests:
                with contextlib.suppress(BlockingIOError):
                    requests = requests[client.socket.send(requests) :]
            client.socket.settimeout(15)
            frame = client.frame()
            assert frame is not None
            if "end" in frame:
                answered.append(frame["id"])
            client.socket.setblocking(False)

        assert answered == list(asked)


@pytest.mark.parametrize(
    ("garbage", "code"),
    [
        (b'{"id": 1, "method": \n', "BAD_ARGUMENTS"),
        (b"{\xff\xfe}\n", "BAD_ARGUMENTS"),
        (b"{" + b"[" * 100_000 + b"\n", "BAD_ARGUMENTS"),
        (b"{}\n", "INCORRECT_PARAMETERS"),
        (b'{"id": 7, "method": "nosuch"}\n', "UNKNOWN_METHOD"),
        (b'{"id": 7, "method": "start", "params": {"names": "x"}}\n', "INCORRECT_PARAMETERS"),
        (b'{"id": 7, "method": "tail", "params": {"name": "x", "bytes": -1}}\n', "BAD_ARGUMENTS"),
        (b'{"id": 7, "method": "tail", "params": {"name": 7}}\n', "INCORRECT_PARAMETERS"),
        (b'{"id": 7, "method": "signal", "params": {"names": ["x"], "signal": {}}}\n',
         "INCORRECT_PARAMETERS"),
    ],
)  # fmt: skip
def test_garbage_is_answered_with_an_error(tmp_path: Path, garbage: bytes, code: str) -> None:
    with Daemon(tmp_path, SLEEPER.format("x")) as daemon:
        with _raw(daemon) as raw:
            raw.sendall(garbage)
            raw.shutdown(socket.SHUT_WR)

            frames = [json.loads(line) for line in _read_all(raw).splitlines()]

        assert [frame["error"]["code"] for frame in frames] == [code]
        assert daemon.call("info")[0]["pid"] == daemon.pid


def test_a_line_of_10_megabytes_is_refused_and_not_kept(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.call("info")
        with _raw(daemon) as raw:
            with contextlib.suppress(ConnectionError):  # it does not listen to the end
                raw.sendall(b'{"id": 1, "method": "' + b"x" * 10_000_000 + b'"}\n')

            answer = json.loads(_read_all(raw))

        assert answer["error"]["text"] == "a request of more than 262144 bytes"
        peak = int(Path(f"/proc/{daemon.pid}/status").read_text().split("VmHWM:")[1].split()[0])
        assert peak < 60_000, "KiB"


def test_who_speaks_http_is_told_so_in_http(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon, _raw(daemon) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

        assert _read_all(raw).startswith(b"HTTP/1.1 501 ")


def test_half_a_frame_and_then_silence_holds_up_nobody(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon, _raw(daemon) as raw:
        raw.sendall(b'{"id": 1, "meth')

        assert daemon.call("info")[0]["pid"] == daemon.pid
        assert daemon.stop() == 0


def test_six_hundred_connections_lock_nobody_out(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        before = daemon.settled_fds()
        crowd: list[Client] = []
        try:
            crowd.extend(daemon.client() for _ in range(600))

            assert daemon.call("info")[0]["pid"] == daemon.pid

            crowd[-1].ask("info", {})
            assert crowd[-1].answers()[0]["pid"] == daemon.pid
        finally:
            for client in crowd:
                client.close()
        _as_before(daemon, before)


def test_a_reader_that_does_not_read_costs_the_daemon_little(tmp_path: Path) -> None:
    log = tmp_path / "big"
    log.write_bytes(b"x" * 4_000_000)
    program = f"[program:x]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile={log}\n"
    with Daemon(tmp_path, program) as daemon:
        daemon.running("x")
        crowd = [daemon.client() for _ in range(5)]
        for client in crowd:
            for _ in range(10):
                client.ask("tail", {"name": "x", "bytes": 4_000_000})

        assert daemon.call("info")[0]["pid"] == daemon.pid

        resident = int(Path(f"/proc/{daemon.pid}/status").read_text().split("VmRSS:")[1].split()[0])
        assert resident < 150_000, "KiB"
        for client in crowd:
            client.close()


@pytest.mark.parametrize(
    "password",
    ["secret", "{SHA}" + hashlib.sha1(b"secret").hexdigest()],  # noqa: S324 - upstream's
    ids=["plain", "SHA"],
)
def test_a_password_is_asked_for_once_a_connection(tmp_path: Path, password: str) -> None:
    server = f"username=me\npassword={password}"
    wrong: list[object] = [
        None, {"username": "me", "password": "sec"}, {"username": "you", "password": "secret"},
        {"username": "me", "password": password[:-1]}, {"username": 1, "password": 2}, "secret",
        {"username": "mé", "password": "\udcff"},
    ]  # fmt: skip
    with Daemon(tmp_path, server=server) as daemon:
        for auth in wrong:
            with daemon.client() as client:
                client.ask("info", {}, auth=auth)
                with pytest.raises(Refused, match="UNAUTHORIZED"):
                    client.answers()
                assert client.frame() is None

        with daemon.client() as client:
            client.ask("info", {}, auth={"username": "me", "password": "secret"})
            assert client.answers()[0]["pid"] == daemon.pid
            assert client.call("info")[0]["pid"] == daemon.pid


def test_only_its_owner_may_connect_unless_chmod_says_more(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        assert daemon.socket.stat().st_mode & 0o777 == 0o700
    with Daemon(tmp_path, server="chmod=0770") as daemon:
        assert daemon.socket.stat().st_mode & 0o777 == 0o770


def test_who_changed_something_is_named_in_the_log(tmp_path: Path) -> None:
    with Daemon(tmp_path, SLEEPER.format("x")) as daemon:
        daemon.running("x")

        daemon.call("stop", names=["x"])

        daemon.expect(rf"INFO stop x asked by pid {os.getpid()} uid {os.getuid()}")
