"""The socket: ours alone from its first moment, and never taken from somebody alive."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from supervise.core.spec import ServerSpec
from supervise.errors import ServerError
from supervise.unix.sockets import listen, peer


def _spec(path: Path, mode: int = 0o700) -> ServerSpec:
    return ServerSpec("unix_http_server", path=str(path), mode=mode)


def test_it_listens_with_its_mode_and_is_removed(tmp_path: Path) -> None:
    listener = listen(_spec(tmp_path / "run/s", 0o770))

    assert (tmp_path / "run/s").stat().st_mode & 0o777 == 0o770
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "run/s"))
        accepted, _ = listener.socket.accept()
        assert peer(accepted) == (os.getpid(), os.getuid())
        accepted.close()
    listener.close()
    assert list((tmp_path / "run").iterdir()) == []


def test_a_living_one_is_not_taken_even_if_its_queue_is_full(tmp_path: Path) -> None:
    first = listen(_spec(tmp_path / "s"))
    first.socket.listen(0)
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for client in waiting:
        client.setblocking(False)
        client.connect_ex(str(tmp_path / "s"))

    with pytest.raises(ServerError, match="another program is already listening on"):
        listen(_spec(tmp_path / "s"))

    for client in waiting:
        client.close()
    first.close()


def test_a_dead_ones_file_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))

    listen(_spec(tmp_path / "s")).close()


def test_a_successors_file_is_not_removed(tmp_path: Path) -> None:
    first = listen(_spec(tmp_path / "s"))
    (tmp_path / "s").unlink()
    second = listen(_spec(tmp_path / "s"))

    first.close()

    assert (tmp_path / "s").is_socket()
    second.close()


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")

    with pytest.raises(ServerError, match="exists and is not a socket"):
        listen(_spec(tmp_path / "s"))

    assert (tmp_path / "s").read_text() == "mine"


def test_the_longest_path_works_and_one_byte_more_is_said(tmp_path: Path) -> None:
    path = f"{tmp_path}/".ljust(107, "x")
    listen(_spec(Path(path))).close()

    with pytest.raises(ServerError, match="has 108 bytes; at most 107 work"):
        listen(_spec(Path(path + "x")))


def test_a_directory_that_it_makes_is_never_writable_for_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        listen(ServerSpec("unix_http_server", path=str(tmp_path / "a/s"))).close()
    finally:
        os.umask(before)

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755
