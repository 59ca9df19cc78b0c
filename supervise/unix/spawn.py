"""Starting programs: the only caller of fork and exec.

A child starts at the head of its own process group, with default signal dispositions,
no inherited descriptors, and the descriptor limit that the daemon was started with.
``Popen`` is used for what it is good at (vfork, and an exec error reported in the parent)
and then told not to wait for a child that is not its business: ``reap`` collects it.

``user=`` costs Popen its vfork (1 ms at 20 MiB instead of 0.2): no interpreter in between.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shlex
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from supervise.core.spec import ProcessSpec, UserSpec
from supervise.errors import Fault, SpawnError

DEVNULL = "/dev/null"
RESERVE = 32  # descriptors that children may not use up: clients and logs need some too


@dataclass(slots=True)
class Child:
    """A started program: our ends of its pipes, None where it has none."""

    pid: int
    pidfd: int | None
    stdin: int | None
    stdout: int | None
    stderr: int | None


class Spawner:
    """Starts children with one environment and one descriptor limit.

    ``environ`` is what every child inherits, ``extra_path`` is searched after PATH (the
    directory superd itself lives in), ``limit`` the (soft, hard) RLIMIT_NOFILE of children.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        extra_path: str = "",
        limit: tuple[int, int] | None = None,
        use_pidfd: bool = True,
    ) -> None:
        self._environ = dict(environ)
        self._extra_path = extra_path
        self._limit = limit
        self._use_pidfd = use_pidfd and hasattr(os, "pidfd_open")
        self._spare: list[int] = []
        self._keep_spare()

    def spawn(
        self, spec: ProcessSpec, marks: Mapping[str, str], *, stdout: bool, stderr: bool
    ) -> Child:
        """Start ``spec`` and return at once.

        ``marks`` (SUPERVISOR_PROCESS_NAME and so on) go under the program's own
        environment. Without ``stdout`` or ``stderr`` that stream is /dev/null; with
        ``redirect_stderr`` stderr is stdout. Blocks until the child has called exec, less
        than a millisecond: that is how a forbidden executable is known here, and not from
        an exit status.

        Raises:
            SpawnError: with upstream's words and the fault a client gets.
        """
        environ = {**self._environ, **marks, **dict(spec.environment)}
        argv = self.resolve(spec, environ)
        fds: list[int] = []
        try:
            return self._start(spec, argv, environ, fds, stdout=stdout, stderr=stderr)
        except OSError as error:
            raise _explain(spec, argv, error) from error
        except (ValueError, subprocess.SubprocessError) as error:  # a NUL byte, for one
            raise SpawnError(f"couldn't start {argv[0]!r}: {error}") from error
        finally:
            for fd in fds:
                os.close(fd)

    def resolve(self, spec: ProcessSpec, environ: Mapping[str, str] | None = None) -> list[str]:
        """Give the argv that ``spec`` would run, its program found; raises SpawnError."""
        try:
            argv = shlex.split(spec.command)
        except ValueError as error:
            text = f"can't parse command {spec.command!r}: {error}"
            raise SpawnError(text, Fault.NOT_EXECUTABLE) from error
        if not argv:
            raise SpawnError("command is empty", Fault.NOT_EXECUTABLE)
        if environ is None:
            environ = {**self._environ, **dict(spec.environment)}
        return [self._find(argv[0], spec.directory, environ), *argv[1:]]

    def _find(self, program: str, directory: str | None, environ: Mapping[str, str]) -> str:
        if "/" in program:
            here = os.path.join(directory, program) if directory else program  # noqa: PTH118
            return _check(here if os.path.exists(here) else os.path.abspath(program), program)  # noqa: PTH100, PTH110
        path = [*environ.get("PATH", os.defpath).split(os.pathsep), self._extra_path]
        for folder in filter(None, path):
            candidate = f"{folder}/{program}"
            if os.path.isfile(candidate):  # noqa: PTH113 - 1,000 spawns: no Path objects here
                return _check(candidate, candidate)
        raise SpawnError(f"can't find command {program!r}", Fault.NO_FILE)

    def _start(
        self,
        spec: ProcessSpec,
        argv: Sequence[str],
        environ: Mapping[str, str],
        fds: list[int],
        *,
        stdout: bool,
        stderr: bool,
    ) -> Child:
        """Make the pipes and the child; ``fds`` collects what must be closed here after."""
        in_read, in_write = _pipe(fds)
        ours = [in_write]
        try:
            out_read, out_write = _output(fds, ours, wanted=stdout)
            err_read, err_write = None, subprocess.STDOUT
            if not spec.redirect_stderr:
                err_read, err_write = _output(fds, ours, wanted=stderr)
            self._keep_some(ours)
            popen = self._popen(spec, argv, environ, (in_read, out_write, err_write))
        except BaseException:
            fds.extend(ours)
            raise
        for fd in ours:
            os.set_blocking(fd, False)
        return Child(popen.pid, self._pidfd(popen.pid), in_write, out_read, err_read)

    def _keep_some(self, ours: Sequence[int]) -> None:
        """Refuse what would leave us deaf: the kernel gives the lowest free number."""
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if soft != resource.RLIM_INFINITY and max(ours) >= soft - RESERVE:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def _popen(
        self,
        spec: ProcessSpec,
        argv: Sequence[str],
        environ: Mapping[str, str],
        streams: tuple[int, int, int],
    ) -> subprocess.Popen[bytes]:
        user = None if _is_us(spec.user) else spec.user
        with self._childs_limit():
            popen = subprocess.Popen(  # pylint: disable=consider-using-with
                argv, stdin=streams[0], stdout=streams[1], stderr=streams[2],
                cwd=spec.directory, env=environ,
                umask=-1 if spec.umask is None else spec.umask,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else user.groups,
                process_group=0,
                close_fds=False,  # ours are all O_CLOEXEC; closing thousands is not free
            )  # fmt: skip
        popen.returncode = 0  # reap collects the status; Popen must not try to
        return popen

    def _pidfd(self, pid: int) -> int | None:
        if not self._use_pidfd:
            return None
        try:
            return os.pidfd_open(pid)
        except OSError:  # no descriptors left, or an old kernel: SIGCHLD will tell
            return None

    @contextlib.contextmanager
    def _childs_limit(self) -> Iterator[None]:
        """Lower our own soft limit around the fork, so that the child is born with it.

        Setting it later with prlimit would race with a child that reads it at once. The
        two descriptors Popen opens meanwhile must lie below the lower limit: the spare ones
        make room for them.
        """
        ours = resource.getrlimit(resource.RLIMIT_NOFILE)
        if self._limit is None or self._limit == ours:
            yield
            return
        for fd in self._spare:
            os.close(fd)
        self._spare.clear()
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._limit[0], ours[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, ours)
            self._keep_spare()

    def _keep_spare(self) -> None:
        """Take two low numbers, or as many as there are: a child may be born already."""
        with contextlib.suppress(OSError):
            while self._limit is not None and len(self._spare) < 2:  # noqa: PLR2004 - a pipe's
                self._spare.append(os.open(DEVNULL, os.O_RDONLY | os.O_CLOEXEC))

    def close(self) -> None:
        for fd in self._spare:
            os.close(fd)
        self._spare.clear()


def run_tool(argv: Sequence[str], data: bytes, timeout: float) -> tuple[int, bytes, bytes]:
    """Run a program of our own to its end, blocking; give status, stdout and stderr.

    Only for the time before the loop runs. Raises TimeoutError after ``timeout`` seconds.
    """
    try:
        done = subprocess.run(argv, input=data, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{argv[0]} did not end within {timeout:g} seconds") from error
    return done.returncode, done.stdout, done.stderr


def _pipe(fds: list[int]) -> tuple[int, int]:
    """Give a pipe for the child to read; its end goes into ``fds``."""
    read, write = os.pipe()
    fds.append(read)
    return read, write


def _output(fds: list[int], ours: list[int], *, wanted: bool) -> tuple[int | None, int]:
    """Give our end, if any, and the child's end of an output stream."""
    if not wanted:
        nothing = os.open(DEVNULL, os.O_WRONLY | os.O_CLOEXEC)
        fds.append(nothing)
        return None, nothing
    read, write = os.pipe()
    ours.append(read)
    fds.append(write)
    return read, write


def _check(path: str, shown: str) -> str:
    """Give ``path`` if it can be run; else say why not, in upstream's words."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError as error:
        raise SpawnError(f"can't find command {shown!r}", Fault.NO_FILE) from error
    if stat.S_ISDIR(mode):
        raise SpawnError(f"command at {shown!r} is a directory", Fault.NOT_EXECUTABLE)
    if not mode & 0o111:
        raise SpawnError(f"command at {shown!r} is not executable", Fault.NOT_EXECUTABLE)
    if not os.access(path, os.X_OK):
        raise SpawnError(f"no permission to run command {shown!r}", Fault.NOT_EXECUTABLE)
    return path


def _is_us(user: UserSpec | None) -> bool:
    """Whether ``user`` is who we are for good: then there is nothing to become, and no right to."""
    return user is not None and os.getuid() == user.uid != 0


def _explain(spec: ProcessSpec, argv: Sequence[str], error: OSError) -> SpawnError:
    """Turn what the kernel said into what a person can act on."""
    why = os.strerror(error.errno or 0)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return SpawnError(
            f"too many open files to spawn '{spec.name}' (raise minfds or the hard limit, "
            f"ulimit -Hn, {resource.getrlimit(resource.RLIMIT_NOFILE)[1]} now)"
        )
    if error.errno == errno.EAGAIN:
        return SpawnError(f"too many processes in process table to spawn '{spec.name}'")
    # Before Python 3.12 all that fails ahead of exec bears the directory's name.
    if spec.user is not None and not _is_us(spec.user) and error.errno == errno.EPERM:
        return SpawnError(f"couldn't setuid to {spec.user.name}: superd does not run as root")
    if spec.directory and error.filename == spec.directory:
        return SpawnError(f"couldn't chdir to {spec.directory}: {why}")
    return SpawnError(f"couldn't exec {argv[0]}: {why}", Fault.SPAWN_ERROR)
