"""The Unix socket: ours alone from its first moment, and never taken from a live daemon."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from pathlib import Path

from supervise.core.spec import ServerSpec
from supervise.errors import ServerError
from supervise.unix.logfile import make_directory

LONGEST = 107  # bytes of a path that fit into sockaddr_un
BACKLOG = 128


class UnixListener:
    """A bound, listening Unix socket, and the file it stands for."""

    def __init__(self, sock: socket.socket, path: str) -> None:
        self.socket = sock
        self.path = path
        self._inode = Path(path).stat().st_ino

    def close(self) -> None:
        """Stop listening and remove the file, unless it is somebody else's by now."""
        self.socket.close()
        with contextlib.suppress(OSError):
            if Path(self.path).stat().st_ino == self._inode:
                Path(self.path).unlink()


def listen(spec: ServerSpec) -> UnixListener:
    """Bind the socket of a ``[unix_http_server]`` section.

    It is made under a temporary name with its mode and owner, then renamed into place, so
    that nobody connects to a half-made one. A file left by a dead daemon is replaced; a
    live one is not.

    Raises:
        ServerError: the path is in use, too long, not a socket, or cannot be written.
    """
    assert spec.path is not None
    path = spec.path
    if len(os.fsencode(path)) > LONGEST:
        raise ServerError(
            f"[{spec.section}] file: socket path {path} has {len(os.fsencode(path))} bytes; "
            f"at most {LONGEST} work, a shorter directory helps"
        )
    _refuse_the_living(spec.section, path)
    temporary = f"{path}.{os.getpid()}"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        make_directory(Path(path).parent)
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        _bind_closed(sock, temporary)
        if (spec.owner_uid, spec.owner_gid) != (-1, -1):
            os.chown(temporary, spec.owner_uid, spec.owner_gid)
        Path(temporary).chmod(spec.mode)
        sock.listen(BACKLOG)
        Path(temporary).replace(path)
    except OSError as error:
        sock.close()
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise ServerError(
            f"[{spec.section}] file: cannot listen on {path}: {os.strerror(error.errno or 0)}"
        ) from error
    sock.setblocking(False)
    return UnixListener(sock, path)


def _bind_closed(sock: socket.socket, path: str) -> None:
    """Bind with no rights for others, until ``chmod`` says which."""
    mask = os.umask(0o177)
    try:
        if len(os.fsencode(path)) <= LONGEST:
            sock.bind(path)
        else:
            _bind_long(sock, path)
    finally:
        os.umask(mask)


def _bind_long(sock: socket.socket, path: str) -> None:
    """Bind a temporary name that does not fit, though the final one does: by its directory."""
    folder, name = os.path.split(path)
    directory = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sock.bind(f"/proc/self/fd/{directory}/{name}")
    finally:
        os.close(directory)


def _refuse_the_living(section: str, path: str) -> None:
    """Raise ServerError unless ``path`` is free or a socket that nobody listens on."""
    try:
        is_socket = Path(path).is_socket()
        if not is_socket and Path(path).exists():
            raise ServerError(f"[{section}] file: {path} exists and is not a socket")
    except OSError as error:
        raise ServerError(
            f"[{section}] file: cannot look at {path}: {os.strerror(error.errno or 0)}"
        ) from error
    if not is_socket:
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(1.0)
    try:
        probe.connect(path)
    except (ConnectionRefusedError, FileNotFoundError):
        return  # a dead daemon's
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.ETIMEDOUT):
            raise ServerError(
                f"[{section}] file: cannot tell whether {path} is in use: "
                f"{os.strerror(error.errno or 0)}"
            ) from error
    finally:
        probe.close()
    raise ServerError(
        f"[{section}] file: another program is already listening on {path}; "
        "is a superd running already? (superctl status asks it)"
    )


def peer(sock: socket.socket) -> tuple[int, int] | None:
    """Give (pid, uid) of who is at the other end, from the kernel; None if it cannot tell."""
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except (OSError, AttributeError):
        return None
    pid, uid, _ = struct.unpack("3i", raw)
    return pid, uid
