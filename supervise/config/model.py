"""What each section may say: every key with its type, default and meaning.

The only thing these models do beyond listing is to call ``values`` and to refuse what
contradicts itself. The README's reference is generated from them. Source of names and
defaults: Supervisor 4.3, docs/configuration.rst; keys of our own say so ("Ours").
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from supervise.config.fields import (
    Address,
    Backlog,
    Boolean,
    ByteSize,
    Command,
    Count,
    ExitCodes,
    FcgiSocket,
    Growth,
    Integer,
    LogFile,
    LogLevel,
    Name,
    Octal,
    Owner,
    Pairs,
    Path,
    Patterns,
    Restart,
    Seconds,
    Share,
    SignalNumber,
    Strings,
    Text,
    User,
)
from supervise.core.spec import AUTO, AutoRestart, Backoff

_MIB_50 = 50 * 1024 * 1024


class SectionModel(BaseModel):
    """What all sections share: no key but the listed ones, and nothing built before its use."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", defer_build=True)


class Supervisord(SectionModel):
    """``[supervisord]``: the daemon itself."""

    logfile: LogFile = Field("supervisord.log", description="Where the daemon's own log goes.")
    logfile_maxbytes: ByteSize = Field(
        _MIB_50, description="Size at which that log is rotated; 0: never."
    )
    logfile_backups: Count = Field(
        10, description="How many rotated logs are kept; 0: the log is emptied instead."
    )
    loglevel: LogLevel = Field("info", description="The least important messages still logged.")
    pidfile: Path = Field("supervisord.pid", description="File that holds the daemon's pid.")
    umask: Octal = Field(0o022, description="The daemon's file mode creation mask.")
    nodaemon: Boolean = Field(False, description="Stay in the foreground.")
    silent: Boolean = Field(False, description="Do not repeat the log on stdout in foreground.")
    minfds: Integer = Field(
        1024, description="File descriptors that must be available, and those of each child."
    )
    minprocs: Integer = Field(200, description="Processes that must be available.")
    nocleanup: Boolean = Field(False, description="Keep AUTO logs of an earlier run at start.")
    childlogdir: Path | None = Field(
        None, description="Directory of AUTO logs; by default that for temporary files."
    )
    user: User | None = Field(None, description="User to become after the start as root.")
    directory: Path | None = Field(None, description="Directory to change to when daemonising.")
    strip_ansi: Boolean = Field(
        False, description="Take ANSI escape sequences out of the programs' logs."
    )
    environment: Pairs = Field(
        {}, description="Variables for every program; its own environment wins."
    )
    identifier: Text = Field("supervisor", description="Name of this daemon for clients.")
    shutdown_timeout: Seconds = Field(
        0.0,
        description="Ours. Time in which everything must have stopped at shutdown, else it is "
        "killed; 0: as long as the programs' own stopwaitsecs allow.",
    )


class _Server(SectionModel):
    username: Text | None = Field(None, description="Name that clients must give.")
    password: Text | None = Field(
        None, description="Password that clients must give: plain, or {SHA} and 40 hex digits."
    )

    @model_validator(mode="after")
    def _both_or_neither(self) -> _Server:
        if (self.username is None) != (self.password is None):
            raise ValueError(
                "incomplete authentication: with a username or a password, both must be there"
            )
        return self


class UnixServer(_Server):
    """``[unix_http_server]``: a Unix socket to answer on."""

    file: Path = Field(description="Path of the socket.")
    chmod: Octal = Field(0o700, description="Mode of the socket.")
    chown: Owner | None = Field(None, description="Owner of the socket.")


class InetServer(_Server):
    """``[inet_http_server]``: a TCP address to answer on."""

    port: Address = Field(description="Address to listen on.")
    allow_unauthenticated: Boolean = Field(
        False, description="Ours. Having no password is on purpose: do not warn of it."
    )


class Supervisorctl(SectionModel):
    """``[supervisorctl]``: where superctl finds the daemon."""

    serverurl: Text = Field("http://localhost:9001", description="Address of the daemon.")
    username: Text | None = Field(None, description="Name to give to the daemon.")
    password: Text | None = Field(None, description="Password to give, in plain text.")
    prompt: Text = Field("supervisor", description="Prompt of the interactive shell.")
    history_file: Path | None = Field(None, description="File for the shell's history.")

    @field_validator("serverurl", mode="after")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        if not url.startswith(("unix://", "http://")):
            raise ValueError(f"not an address: {url!r}; write unix:///path or http://host:port")
        return url


class Program(SectionModel):
    """``[program:NAME]``: processes to run."""

    command: Command = Field(
        description="What to run; words are split as a shell does, but no shell runs."
    )
    process_name: Name = Field(
        "%(program_name)s",
        description="Name of each process; with numprocs above 1 it must contain %(process_num) "
        "and is %(program_name)s_%(process_num)02d if not given.",
    )
    numprocs: Integer = Field(1, description="How many processes to run.")
    numprocs_start: Integer = Field(0, description="Number of the first process.")
    priority: Integer = Field(999, description="Lower ones start earlier and stop later.")
    autostart: Boolean = Field(True, description="Start with the daemon, and when added.")
    startsecs: Seconds = Field(
        1.0, description="How long it must stay up to count as started; 0: not at all."
    )
    startretries: Integer = Field(
        3, description="How often a failed start is repeated; ours: -1 is for ever."
    )
    restartgap: Seconds = Field(
        1.0, description="Ours. Two automatic starts of a process are never closer than this."
    )
    backoff: Growth = Field(
        Backoff.LINEAR,
        description="Ours. How the wait between failed starts grows: 1, 2, 3 or 1, 2, 4 seconds.",
    )
    backoff_max: Seconds = Field(
        0.0, description="Ours. The longest wait between failed starts; 0: no limit."
    )
    backoff_jitter: Share = Field(
        0.0, description="Ours. Share of that wait which chance may add or take."
    )
    autorestart: Restart = Field(
        AutoRestart.UNEXPECTED,
        description="Start it again when it exits: always, never, or if its code is unexpected.",
    )
    exitcodes: ExitCodes = Field((0,), description="Exit codes that are expected.")
    stopsignal: SignalNumber = Field(15, description="Signal that asks it to stop (TERM).")
    stopwaitsecs: Seconds = Field(10.0, description="How long to wait then, before SIGKILL.")
    stopasgroup: Boolean = Field(
        False, description="Send the stop signal to its whole process group."
    )
    killasgroup: Boolean | None = Field(
        None, description="Send SIGKILL to its whole process group; default: as stopasgroup."
    )
    user: User | None = Field(None, description="User to run as; needs a daemon run by root.")
    redirect_stderr: Boolean = Field(False, description="Send stderr to where stdout goes.")
    stdout_logfile: LogFile = Field(AUTO, description="Where its stdout goes.")
    stdout_logfile_maxbytes: ByteSize = Field(
        _MIB_50, description="Size at which that log is rotated; 0: never."
    )
    stdout_logfile_backups: Count = Field(10, description="How many rotated logs are kept.")
    stdout_capture_maxbytes: ByteSize = Field(
        0, description="Most bytes captured between the tokens; 0: capturing is off."
    )
    stdout_events_enabled: Boolean = Field(
        False, description="Emit PROCESS_LOG_STDOUT for what it writes."
    )
    stdout_syslog: Boolean = Field(False, description="Send its stdout to syslog as well.")
    stderr_logfile: LogFile = Field(AUTO, description="Where its stderr goes.")
    stderr_logfile_maxbytes: ByteSize = Field(
        _MIB_50, description="Size at which that log is rotated; 0: never."
    )
    stderr_logfile_backups: Count = Field(10, description="How many rotated logs are kept.")
    stderr_capture_maxbytes: ByteSize = Field(
        0, description="Most bytes captured between the tokens; 0: capturing is off."
    )
    stderr_events_enabled: Boolean = Field(
        False, description="Emit PROCESS_LOG_STDERR for what it writes."
    )
    stderr_syslog: Boolean = Field(False, description="Send its stderr to syslog as well.")
    environment: Pairs = Field({}, description="Variables for the process.")
    env_file: Path | None = Field(
        None,
        description="Ours. File of KEY=value lines (.env), relative to the file that names it; "
        "environment wins over it.",
    )
    directory: Path | None = Field(None, description="Directory to change to before it starts.")
    umask: Octal | None = Field(None, description="Its file mode creation mask.")
    serverurl: Text | None = Field(
        None, description="Value of SUPERVISOR_SERVER_URL; AUTO: an address of this daemon."
    )

    @field_validator("killasgroup", mode="after")
    @classmethod
    def _what_is_stopped_as_a_group_is_killed_as_one(
        cls, kill: bool | None, info: ValidationInfo
    ) -> bool | None:
        if kill is False and info.data.get("stopasgroup"):
            raise ValueError(
                "Cannot set stopasgroup=true and killasgroup=false; leave killasgroup out"
            )
        return kill


class EventListener(Program):
    """``[eventlistener:NAME]``: processes that hear what happens, with all keys of a program."""

    events: Strings = Field(description="Events it wants to hear of.")
    buffer_size: Integer = Field(10, description="Events kept while no listener is ready.")
    result_handler: Text = Field(
        "supervisor.dispatchers:default_handler",
        description="Function that judges a listener's answer.",
    )
    priority: Integer = Field(-1, description="Lower ones start earlier and stop later.")

    @field_validator("buffer_size", mode="after")
    @classmethod
    def _room_for_one(cls, size: int) -> int:
        if size < 1:
            raise ValueError(f"invalid buffer_size {size}; at least 1")
        return size

    @field_validator("redirect_stderr", mode="after")
    @classmethod
    def _stdout_speaks_the_protocol(cls, redirect: bool) -> bool:
        if redirect:
            raise ValueError(
                "true is not allowed because it will interfere with the eventlistener protocol"
            )
        return redirect


class FcgiProgram(Program):
    """``[fcgi-program:NAME]``: processes that share a socket, with all keys of a program."""

    socket: FcgiSocket = Field(description="Socket that becomes their stdin.")
    socket_backlog: Backlog | None = Field(None, description="Length of the socket's queue.")
    socket_owner: Owner | None = Field(
        None, description="Owner of a Unix socket; default: the program's user."
    )
    socket_mode: Octal | None = Field(None, description="Mode of a Unix socket (0700).")

    @model_validator(mode="after")
    def _tcp_has_no_owner(self) -> FcgiProgram:
        owned = self.socket_owner is not None or self.socket_mode is not None
        if owned and not self.socket.startswith("unix:"):
            raise ValueError(
                "socket_owner and socket_mode params should only be used with a Unix domain socket"
            )
        return self


class Group(SectionModel):
    """``[group:NAME]``: programs that are started and stopped together."""

    programs: Strings = Field((), description="Names of the programs in it.")
    priority: Integer = Field(999, description="Lower ones start earlier and stop later.")


class Include(SectionModel):
    """``[include]``: more files, in the main file only."""

    files: Patterns = Field(
        description="Shell patterns, separated by spaces, relative to the main file."
    )


class Plugin(BaseModel):
    """``[rpcinterface:NAME]`` and ``[ctlplugin:NAME]``: accepted, with whatever they say."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", defer_build=True)


SECTIONS: dict[str, type[BaseModel]] = {
    "supervisord": Supervisord,
    "unix_http_server": UnixServer,
    "inet_http_server": InetServer,
    "supervisorctl": Supervisorctl,
    "program": Program,
    "group": Group,
    "eventlistener": EventListener,
    "fcgi-program": FcgiProgram,
    "include": Include,
    "rpcinterface": Plugin,
    "ctlplugin": Plugin,
}
