"""Parts of a validated program as parts of a specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from supervise.config.model import EventListener, FcgiProgram, Program
from supervise.config.values import SYSLOG
from supervise.core.spec import AUTO, OutputSpec, Policy

_Absolute = Callable[[str], str]


def policy(model: Program) -> Policy:
    """Give what the state machine needs; any negative startretries means for ever."""
    kill = model.stopasgroup if model.killasgroup is None else model.killasgroup
    return Policy(
        startsecs=model.startsecs,
        startretries=max(-1, model.startretries),
        autorestart=model.autorestart,
        exitcodes=model.exitcodes,
        stopsignal=model.stopsignal,
        stopwaitsecs=model.stopwaitsecs,
        stopasgroup=model.stopasgroup,
        killasgroup=kill,
        restartgap=model.restartgap,
        backoff=model.backoff,
        backoff_max=model.backoff_max,
        backoff_jitter=model.backoff_jitter,
    )


def stdout(model: Program, absolute: _Absolute) -> OutputSpec:
    """Give where stdout goes; ``absolute`` makes a path of a log whole."""
    return OutputSpec(
        logfile=_log_file(model.stdout_logfile, absolute),
        maxbytes=model.stdout_logfile_maxbytes,
        backups=model.stdout_logfile_backups,
        capture_maxbytes=model.stdout_capture_maxbytes,
        events_enabled=model.stdout_events_enabled,
        syslog=model.stdout_syslog or model.stdout_logfile == SYSLOG,
    )


def stderr(model: Program, absolute: _Absolute) -> OutputSpec:
    """Give where stderr goes: to no file of its own if it follows stdout."""
    logfile = None if model.redirect_stderr else model.stderr_logfile
    return OutputSpec(
        logfile=_log_file(logfile, absolute),
        maxbytes=model.stderr_logfile_maxbytes,
        backups=model.stderr_logfile_backups,
        capture_maxbytes=model.stderr_capture_maxbytes,
        events_enabled=model.stderr_events_enabled,
        syslog=model.stderr_syslog or model.stderr_logfile == SYSLOG,
    )


def server_url(model: Program) -> str | None:
    """Give the address to tell the program, or None for one of this daemon."""
    url = model.serverurl
    return None if url is None or url.strip().upper() in ("", AUTO) else url


def oddities(model: Program) -> Iterator[tuple[str, str]]:
    """Give key and text of what works, though hardly as it was meant, in supervisord's words."""
    yield from _not_yet(model)
    for stream in ("stdout", "stderr"):
        key = f"{stream}_logfile"
        logfile = getattr(model, key)
        if logfile == SYSLOG:
            yield (
                key,
                (
                    f"{key}=syslog but this is deprecated and will be removed; "
                    f"use {stream}_syslog=true to enable syslog instead"
                ),
            )
        if logfile == AUTO and not getattr(model, f"{key}_maxbytes"):
            yield (
                f"{key}_maxbytes",
                (
                    f"AUTO logging used for {key} without rollover, set maxbytes > 0 "
                    "to avoid filling up filesystem unintentionally"
                ),
            )
    if model.redirect_stderr and model.stderr_logfile not in (AUTO, None):
        yield (
            "stderr_logfile",
            (
                "redirect_stderr=true but stderr_logfile has also been set to a filename, "
                "the filename has been ignored"
            ),
        )


def _not_yet(model: Program) -> Iterator[tuple[str, str]]:
    """Give key and text of what is accepted and does nothing so far."""
    if isinstance(model, EventListener):
        yield "events", "it runs, but this version sends no events"
    if isinstance(model, FcgiProgram):
        yield "socket", "it runs, but this version opens no socket for it"
    for stream in ("stdout", "stderr"):
        if getattr(model, f"{stream}_syslog") or getattr(model, f"{stream}_logfile") == SYSLOG:
            yield f"{stream}_syslog", f"this version sends no {stream} to syslog, only to a file"


def _log_file(logfile: str | None, absolute: _Absolute) -> str | None:
    match logfile:
        case None | "AUTO":
            return logfile
        case "syslog":
            return None
        case _:
            return absolute(logfile)
