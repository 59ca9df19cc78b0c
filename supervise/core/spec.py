"""What should run, fully resolved: the one language between files and processes.

Frozen values without behaviour. ``config.build`` makes them, ``core.diff``
compares them, the daemon obeys them. Times are seconds, sizes are bytes.
Source of names and defaults: Supervisor 4.3, docs/configuration.rst.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

AUTO = "AUTO"  # a log file whose name the daemon makes up


class AutoRestart(StrEnum):
    NEVER = "false"
    UNEXPECTED = "unexpected"
    ALWAYS = "true"


class Backoff(StrEnum):
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


class GroupKind(StrEnum):
    PROGRAM = "program"
    GROUP = "group"
    EVENTLISTENER = "eventlistener"
    FCGI = "fcgi-program"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the state machine needs to know of a program."""

    startsecs: float = 1.0
    startretries: int = 3  # -1: for ever
    autorestart: AutoRestart = AutoRestart.UNEXPECTED
    exitcodes: tuple[int, ...] = (0,)
    stopsignal: int = 15
    stopwaitsecs: float = 10.0
    stopasgroup: bool = False
    killasgroup: bool = False
    restartgap: float = 1.0
    backoff: Backoff = Backoff.LINEAR
    backoff_max: float = 0.0  # 0: no limit
    backoff_jitter: float = 0.0  # 0..1, the share of a delay that chance may add or take


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """Where one stream of a child goes. ``logfile`` is a path, AUTO, or None for none."""

    logfile: str | None = AUTO
    maxbytes: int = 50 * 1024 * 1024  # 0: never rotated
    backups: int = 10
    capture_maxbytes: int = 0
    events_enabled: bool = False
    syslog: bool = False


@dataclass(frozen=True, slots=True)
class UserSpec:
    """Who a child becomes; ``name`` is as written, the numbers were looked up."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process, with everything expanded. ``program`` is its section's name."""

    name: str
    group: str
    program: str
    command: str  # split like a shell would, at spawn: a bad one is that process's problem
    policy: Policy = Policy()
    autostart: bool = True
    priority: int = 999
    directory: str | None = None
    umask: int | None = None
    user: UserSpec | None = None
    environment: tuple[tuple[str, str], ...] = ()  # [supervisord]'s overlaid by its own
    stdout: OutputSpec = OutputSpec()
    stderr: OutputSpec = OutputSpec()
    redirect_stderr: bool = False
    strip_ansi: bool = False
    serverurl: str | None = None  # None: AUTO


@dataclass(frozen=True, slots=True)
class ListenerSpec:
    """What makes a group an event-listener pool."""

    events: tuple[str, ...]
    buffer_size: int = 10
    result_handler: str = "supervisor.dispatchers:default_handler"


@dataclass(frozen=True, slots=True)
class FcgiSpec:
    """The socket that an fcgi-program group shares."""

    socket: str
    backlog: int | None = None
    owner_uid: int | None = None
    owner_gid: int | None = None
    mode: int = 0o700


@dataclass(frozen=True, slots=True)
class GroupSpec:
    name: str
    priority: int = 999
    processes: tuple[ProcessSpec, ...] = ()
    kind: GroupKind = GroupKind.PROGRAM
    listener: ListenerSpec | None = None
    fcgi: FcgiSpec | None = None
    sources: tuple[str, ...] = field(default=(), compare=False)  # files that say something of it


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """A socket to answer on: ``path`` for a Unix one, ``host`` and ``port`` for TCP."""

    section: str
    path: str | None = None
    mode: int = 0o700
    owner_uid: int = -1
    owner_gid: int = -1
    host: str = ""
    port: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    allow_unauthenticated: bool = False  # somebody said that no password is on purpose


@dataclass(frozen=True, slots=True)
class DaemonSpec:
    """``[supervisord]``, resolved; paths are absolute."""

    logfile: str | None = "supervisord.log"  # None: NONE; "syslog" is a name too
    logfile_maxbytes: int = 50 * 1024 * 1024
    logfile_backups: int = 10
    loglevel: str = "info"
    pidfile: str = "supervisord.pid"
    umask: int = 0o022
    nodaemon: bool = False
    silent: bool = False
    minfds: int = 1024
    minprocs: int = 200
    nocleanup: bool = False
    childlogdir: str = "/tmp"  # noqa: S108 - upstream's default, resolved by config
    user: UserSpec | None = None
    directory: str | None = None
    strip_ansi: bool = False
    identifier: str = "supervisor"
    shutdown_timeout: float = 0.0  # 0: as long as the programs' own stopwaitsecs allow


@dataclass(frozen=True, slots=True)
class Source:
    """A file the plan was read from, so that an unchanged one need not be read again."""

    path: str
    mtime_ns: int
    size: int
    inode: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that should be, from one reading of all files.

    ``warnings`` and ``notes`` are whole lines for the log. ``dangling`` are paths
    of links that point nowhere: what runs of a group that came from one goes on.
    """

    daemon: DaemonSpec = DaemonSpec()
    servers: tuple[ServerSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    dangling: tuple[str, ...] = ()
