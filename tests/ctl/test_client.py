"""The client against a real socket: good servers, slow ones, mad ones and none."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from supervise import wire
from supervise.ctl.client import NativeClient
from supervise.ctl.command import CallError, LostConnectionError, UnreachableError
from tests.support.ctl_server import ScriptedServer, answer
from tests.support.rights import without_special_rights

WEB = {"name": "web", "code": "started"}


def test_results_come_one_by_one_while_the_server_still_works(tmp_path: Path) -> None:
    told = threading.Event()
    first, second = wire.encode(wire.result(1, WEB)), answer({"name": "late"})
    with ScriptedServer(tmp_path / "s", [first[:9], first[9:], told, second]) as server:
        results = NativeClient(server.url).call("start", names=["all"], wait=True)

        assert next(results) == WEB
        told.set()  # had the client wanted the whole answer, it would wait for this for ever
        assert list(results) == [{"name": "late"}]

    assert server.requests == [
        {"id": 1, "method": "start", "params": {"names": ["all"], "wait": True}}
    ]


def test_each_call_has_a_connection_of_its_own(tmp_path: Path) -> None:
    with ScriptedServer(tmp_path / "s", [answer({"n": 1})], [answer({"n": 2})]) as server:
        client = NativeClient(server.url)

        assert list(client.call("version")) == [{"n": 1}]
        assert list(client.call("version")) == [{"n": 2}]


def test_leaving_early_hangs_up(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        results = NativeClient(f"unix://{path}").call("tail", follow=True)
        thread = threading.Thread(target=lambda: next(results))
        thread.start()
        connection, _ = listener.accept()
        with connection:
            connection.recv(wire.MAX_REQUEST)
            connection.sendall(wire.encode(wire.result(1, {"data": "x"})))
            thread.join()

            results.close()  # type: ignore[attr-defined]  # it is a generator

            assert connection.recv(1) == b""


def test_a_result_of_ten_megabytes_arrives_whole(tmp_path: Path) -> None:
    log = "x" * 10_000_000
    with ScriptedServer(tmp_path / "s", [answer({"data": log})]) as server:
        (result,) = NativeClient(server.url).call("tail", name="web")

    assert result["data"] == log


def test_bytes_that_are_no_text_survive_the_way(tmp_path: Path) -> None:
    binary = bytes(range(256))
    with ScriptedServer(
        tmp_path / "s", [answer({"data": binary.decode("utf-8", "surrogateescape")})]
    ) as server:
        (result,) = NativeClient(server.url).call("tail", name="web")

    assert result["data"].encode("utf-8", "surrogateescape") == binary


def test_name_and_password_go_with_the_request(tmp_path: Path) -> None:
    with ScriptedServer(tmp_path / "s", [answer()]) as server:
        list(NativeClient(server.url, "joe", "secret").call("version"))

    assert server.requests[0]["auth"] == {"username": "joe", "password": "secret"}


def test_a_refusal_carries_the_code_and_the_words(tmp_path: Path) -> None:
    refusal = wire.encode(wire.error(1, "CANT_REREAD", "no [supervisord]"))
    with (
        ScriptedServer(tmp_path / "s", [refusal]) as server,
        pytest.raises(CallError, match=r"^CANT_REREAD: no \[supervisord\]$") as caught,
    ):
        list(NativeClient(server.url).call("reread"))

    assert caught.value.code == "CANT_REREAD"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "hung up before the answer was complete"),
        (wire.encode(wire.result(1, WEB)), "hung up before the answer was complete"),
        (b'{"id":1,"resu', "hung up before the answer was complete"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "sent 'HTTP/1.1 400 Bad Request.*not a JSON frame"),
        (b"\xff\xfe\n", "not a JSON frame"),
        (b"[1, 2]\n", "not a JSON object but list"),
        (b"[" * 100_000 + b"\n", "not a JSON frame"),
        (b'{"id":1}\n', "sent a frame that is no answer: {'id': 1}"),
        (b'{"id":1,"result":[]}\n', "sent a frame that is no answer"),
        (b'{"id":1,"error":"no"}\n', "sent a frame that is no answer"),
    ],
)
def test_a_server_that_breaks_off_or_talks_nonsense_is_named(
    tmp_path: Path, sent: bytes, reason: str
) -> None:
    with (
        ScriptedServer(tmp_path / "s", [sent]) as server,
        pytest.raises(LostConnectionError, match=reason),
    ):
        list(NativeClient(server.url).call("start", names=["web"]))


def test_a_frame_without_an_end_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_FRAME", 1000)
    with (
        ScriptedServer(tmp_path / "s", [b"x" * 5000]) as server,
        pytest.raises(LostConnectionError, match="a frame longer than 1000 bytes"),
    ):
        list(NativeClient(server.url).call("version"))


def test_more_names_than_fit_into_a_request_are_refused_with_a_way_out(tmp_path: Path) -> None:
    client = NativeClient(f"unix://{tmp_path}/nobody-is-asked")

    with pytest.raises(CallError, match="262144 are allowed; use a group"):
        list(client.call("start", names=["name"] * wire.MAX_REQUEST))


def unreachable(url: str) -> UnreachableError:
    with pytest.raises(UnreachableError) as caught:
        list(NativeClient(url).call("version"))
    assert str(caught.value).startswith(url)
    return caught.value


def test_a_missing_socket_is_no_such_file(tmp_path: Path) -> None:
    error = unreachable(f"unix://{tmp_path}/none")

    assert str(error).endswith("/none no such file")
    assert (error.exit_code, error.down) == (7, True)


def test_a_socket_left_by_a_dead_server_refuses(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))

    error = unreachable(f"unix://{tmp_path}/s")

    assert str(error).endswith("/s refused connection")
    assert (error.exit_code, error.down) == (4, True)


def test_a_plain_file_is_no_server(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert unreachable(f"unix://{tmp_path}/file").down
    assert unreachable(f"unix://{tmp_path}/file/socket").down


def test_a_server_that_takes_no_connection_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervise.ctl.client.PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as queued:
        listener.bind(str(tmp_path / "s"))
        listener.listen(0)
        queued.connect(str(tmp_path / "s"))  # it fills the queue, and nobody accepts

        error = unreachable(f"unix://{tmp_path}/s")

    assert not error.down
    assert error.exit_code == 1


def test_a_path_too_long_for_a_socket_says_how_long_it_may_be() -> None:
    error = unreachable("unix:///" + "d" * 120)

    assert str(error).endswith("is too long for a socket: 121 bytes, at most 107")
    assert not error.down


def test_a_relative_path_starts_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ScriptedServer(tmp_path / "s", [answer({"n": 1})]):
        assert list(NativeClient("unix://s").call("version")) == [{"n": 1}]


def test_a_socket_of_another_user_comes_with_a_way_out(tmp_path: Path) -> None:
    with ScriptedServer(tmp_path / "s"):
        (tmp_path / "s").chmod(0)
        with without_special_rights():
            error = unreachable(f"unix://{tmp_path}/s")

    assert str(error).endswith("permission denied")
    assert "sudo" in error.hint


@pytest.mark.parametrize("url", ["", "unix", "ftp://x:1", "http://host", "http://host:99999"])
def test_what_is_no_url_says_what_one_looks_like(url: str) -> None:
    assert str(unreachable(url)).endswith("is no unix:///path and no http://host:port")


def test_http_is_told_apart_into_nobody_there_and_not_yet() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        answering = unreachable(url)
    silent = unreachable(url)

    assert str(answering).endswith("speaks only to unix:// servers yet")
    assert (answering.exit_code, answering.down) == (1, False)
    assert str(silent) == f"{url} refused connection"
    assert (silent.exit_code, silent.down) == (4, True)
