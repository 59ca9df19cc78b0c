"""One reading of a configuration, from the file's name to a plan or to what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from supervise.config.env_file import EnvFiles
from supervise.config.files import Files
from supervise.config.lookup import Accounts
from supervise.config.section import Entry, Findings, Section, merge
from supervise.config.surroundings import Surroundings
from supervise.core.spec import Plan

COMMAND_LINE = "command line"  # in the place of a file, for what was said there


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a reading came to. There is a plan only if there is no problem."""

    plan: Plan | None
    findings: Findings
    sections: Mapping[str, Section]
    client_problems: Sequence[str]  # of [supervisorctl], which the daemon does not mind


def read(
    path: str,
    overrides: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Outcome:
    """Read ``path`` and what it includes; what is wrong is handed back, all of it.

    ``overrides`` are keys of [supervisord] from a command line, which win over files;
    ``environ`` is what ``%(ENV_X)s`` means, ``cwd`` where relative paths start.
    """
    from supervise.config.build import build, client_problems  # noqa: PLC0415 - pydantic is big

    findings = Findings()
    env_files = EnvFiles()
    environ = os.environ if environ is None else environ
    cwd = os.getcwd() if cwd is None else cwd
    surroundings = Surroundings(
        environ=environ,
        cwd=cwd,
        node=os.uname().nodename,
        uid=os.getuid(),
        temporary=_temporary(environ, cwd),
        accounts=Accounts(),
        env_files=env_files,
    )
    files = Files(path, cwd, findings)
    sections = merge(files.sections(surroundings.names()), findings)
    if findings.problems and not sections:
        return Outcome(None, findings, sections, ())
    _override(sections, overrides or {}, path, findings)
    plan = build(sections, surroundings, findings)
    client = client_problems(sections, surroundings)
    findings.warnings += client
    if plan is None or findings.problems:
        return Outcome(None, findings, sections, client)
    sources = {**files.sources, **env_files.sources}
    plan = replace(
        plan,
        warnings=tuple(findings.warnings),
        notes=tuple(findings.notes),
        sources=tuple(sources.values()),
        dangling=tuple(files.dangling),
    )
    return Outcome(plan, findings, sections, client)


def _override(
    sections: dict[str, Section], overrides: Mapping[str, str], path: str, findings: Findings
) -> None:
    main = sections.get("supervisord")
    if main is None and path.endswith(
        ".toml"
    ):  # all of its keys have defaults; INI asks for it, as ever
        main = sections["supervisord"] = Section("supervisord", path, 1, path, strict=True)
    if main is None:
        text = ".ini file does not include supervisord section"
        findings.problems.append(f"{path}:1: {text}")
        return
    for key, value in overrides.items():
        literal = value.replace("%", "%%")  # a command line is not expanded
        main.entries[key] = Entry(literal, COMMAND_LINE, 0, "")


def _temporary(environ: Mapping[str, str], cwd: str) -> str:
    """Give the directory for temporary files as ``tempfile`` finds it, which is slow to start."""
    named = [environ[key] for key in ("TMPDIR", "TEMP", "TMP") if environ.get(key)]
    for directory in (*named, "/tmp", "/var/tmp", "/usr/tmp"):  # noqa: S108
        if os.access(directory, os.W_OK | os.X_OK):
            return os.path.join(cwd, directory)
    return cwd
