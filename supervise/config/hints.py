"""What is allowed, and yet will probably surprise: for people who ask ``superctl check``.

Few and true: each is something that somebody has waited in vain for.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from supervise.config.section import Section
from supervise.core.spec import AUTO, AutoRestart, Plan, ProcessSpec

_CONSUMERS = ("messenger:consume", "messenger consume")
_LIMITS = ("--limit", "--time-limit", "--memory-limit", "--failure-limit", "-l", "-t")
_DEFAULT_STOPWAIT = 10.0


@dataclass(frozen=True, slots=True)
class Hint:
    """``key`` is where to look, if the section says it."""

    key: str
    text: str


def hints(
    plan: Plan, sections: Mapping[str, Section], environ: Mapping[str, str], uid: int
) -> Iterator[str]:
    """Give lines of ``file:line: [section] key: hint``, once for each section."""
    seen: set[str] = set()
    for group in plan.groups:
        for spec in group.processes:
            section = _section(spec, sections)
            if section is None or section.name in seen:
                continue
            seen.add(section.name)
            for hint in _of_process(spec, plan, environ, uid):
                place = section.place_of(hint.key)
                yield f"{place}: {section.title} {hint.key}: {hint.text}"
    yield from _of_servers(plan, sections)


def _section(spec: ProcessSpec, sections: Mapping[str, Section]) -> Section | None:
    kinds = ("program", "fcgi-program", "eventlistener")
    found = (
        section
        for section in sections.values()
        if section.kind in kinds and section.own_name == spec.program
    )
    return next(found, None)


def _of_process(
    spec: ProcessSpec, plan: Plan, environ: Mapping[str, str], uid: int
) -> Iterator[Hint]:
    try:
        words = shlex.split(spec.command)
    except ValueError as error:
        yield Hint("command", f"{spec.command!r} cannot be split into words: {error}")
        return
    if not words:
        yield Hint("command", "empty: there is nothing to run")
        return
    yield from _of_command(words, spec, environ)
    yield from _of_consumer(words, spec)
    if spec.user is not None and uid not in (0, spec.user.uid):
        yield Hint("user", f"only a superd that runs as root can become {spec.user.name}")
    if spec.directory is not None and not os.path.isdir(spec.directory):
        yield Hint("directory", f"{spec.directory} is not a directory now")
    yield from _of_logs(spec, plan)


def _of_command(words: list[str], spec: ProcessSpec, environ: Mapping[str, str]) -> Iterator[Hint]:
    program = words[0]
    if "/" in program:
        path = os.path.join(spec.directory or "", program)
        if not os.path.isfile(path):
            yield Hint("command", f"can't find command {program!r}")
        elif not os.access(path, os.X_OK):
            yield Hint("command", f"command at {program!r} is not executable")
        return
    paths = dict(spec.environment).get("PATH", environ.get("PATH", os.defpath))
    # superd looks beside itself too, which is where it stands beside this Python
    places = [*paths.split(os.pathsep), os.path.dirname(_python())]
    if not any(os.access(os.path.join(place, program), os.X_OK) for place in places):
        yield Hint("command", f"can't find command {program!r} in PATH ({paths})")


def _python() -> str:
    import sys  # noqa: PLC0415 - a function, so that a test can see what it stands for

    return sys.executable


def _of_consumer(words: list[str], spec: ProcessSpec) -> Iterator[Hint]:
    line = " ".join(words)
    if not any(name in line for name in _CONSUMERS):
        return
    limited = any(word.partition("=")[0] in _LIMITS for word in line.split())
    if spec.policy.autorestart is not AutoRestart.ALWAYS:
        yield Hint(
            "autorestart",
            f"is {spec.policy.autorestart}: a worker that exits 0 "
            f"{'on its limit' if limited else 'on a limit or stop-workers'} "
            "will not come back; say autorestart=true",
        )
    if spec.policy.stopwaitsecs < _DEFAULT_STOPWAIT:
        yield Hint(
            "stopwaitsecs",
            f"{spec.policy.stopwaitsecs:g} seconds are few for the message in hand: a handler "
            "that takes longer is killed, and its message handled again",
        )


def _of_logs(spec: ProcessSpec, plan: Plan) -> Iterator[Hint]:
    for key, output in (("stdout_logfile", spec.stdout), ("stderr_logfile", spec.stderr)):
        if output.logfile is None:
            continue
        directory = (
            plan.daemon.childlogdir if output.logfile == AUTO else os.path.dirname(output.logfile)
        )
        existing = _nearest(directory)
        if not os.path.isdir(existing):
            yield Hint(key, f"{existing} is not a directory")
        elif not os.access(existing, os.W_OK | os.X_OK):
            yield Hint(key, f"nothing can be written in {existing}")


def _nearest(directory: str) -> str:
    """Give the directory, or what is there above it, in which it would have to be made."""
    while not os.path.exists(directory):
        directory = os.path.dirname(directory)
    return directory


def _of_servers(plan: Plan, sections: Mapping[str, Section]) -> Iterator[str]:
    if not plan.servers:
        main = sections["supervisord"]
        yield f"{main.place}: there is no [unix_http_server]: superctl cannot reach this superd"
    for server in plan.servers:
        open_to_all = server.path is None and server.username is None
        if open_to_all and not server.allow_unauthenticated:
            section = sections[server.section]
            yield (
                f"{section.place_of('port')}: {section.title}: everyone who can connect may "
                "control everything; set username and password"
            )
