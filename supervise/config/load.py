"""Reads a configuration; run as a program it is the short-lived child of the daemon.

    python -m supervise.config.load FILE [--override KEY=VALUE ...] [--cwd DIR]
        prints the lines of ``core.plan`` on stdout; exit 0 with a plan, 1 without
    python -m supervise.config.load --check [FILE]
        prints problems, warnings and hints for people; exit 0, 1 with problems, 2 usage

It is a process of its own because pydantic is big and a file may be anything.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from supervise.config.env_file import EnvFiles
from supervise.config.files import Files
from supervise.config.lookup import Accounts
from supervise.config.section import Entry, Findings, Section, merge
from supervise.config.surroundings import Surroundings
from supervise.core.plan import encode, encode_problems
from supervise.core.spec import Plan
from supervise.errors import ConfigError

USAGE = (
    "usage: python -m supervise.config.load [--check] [--cwd DIR] [--override KEY=VALUE] ... FILE"
)
COMMAND_LINE = "command line"  # in the place of a file, for what was said there


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a reading came to. There is a plan only if there is no problem."""

    plan: Plan | None
    findings: Findings
    sections: Mapping[str, Section]
    client_problems: Sequence[str]  # of [supervisorctl], which the daemon does not mind


def load(
    path: str,
    overrides: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Plan:
    """Read ``path`` and what it includes. Raises ConfigError with every problem.

    ``overrides`` are keys of [supervisord] from a command line, which win over files;
    ``environ`` is what ``%(ENV_X)s`` means, ``cwd`` where relative paths start.
    """
    outcome = read(path, overrides, environ=environ, cwd=cwd)
    if outcome.plan is None:
        raise ConfigError(outcome.findings.first_problems())
    return outcome.plan


def read(
    path: str,
    overrides: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Outcome:
    """Read as ``load`` does, but hand back what is wrong instead of raising it."""
    from supervise.config.build import build, client_problems  # noqa: PLC0415 - see main

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


def main(argv: Sequence[str]) -> int:
    """Do what the module's text says; give the exit code."""
    gc.disable()  # we shall be gone before it pays, and pydantic starts faster
    try:
        arguments = _arguments(argv)
    except ValueError as error:
        print(f"Error: {error}\n{USAGE}", file=sys.stderr)
        return 2
    if arguments.check:
        from supervise.config.check import check  # noqa: PLC0415 - the daemon does not check

        return check(arguments.file, cwd=arguments.cwd)
    if arguments.file is None:
        print(f"Error: no file\n{USAGE}", file=sys.stderr)
        return 2
    outcome = read(arguments.file, arguments.overrides, cwd=arguments.cwd)
    if outcome.plan is None:
        findings = outcome.findings
        print(encode_problems(findings.first_problems(), findings.warnings))
        return 1
    sys.stdout.writelines(line + "\n" for line in encode(outcome.plan))
    return 0


@dataclass(slots=True)
class _Arguments:
    file: str | None = None
    check: bool = False
    cwd: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)


def _arguments(argv: Sequence[str]) -> _Arguments:
    """Take the command line apart; argparse would cost more than reading 50 files."""
    found = _Arguments()
    words = iter(argv)
    for word in words:
        match word:
            case "--check":
                found.check = True
            case "--cwd":
                found.cwd = _value_of(word, words)
            case "--override":
                key, equals, value = _value_of(word, words).partition("=")
                if not equals:
                    raise ValueError(f"--override wants KEY=VALUE, not {key!r}")
                found.overrides[key] = value
            case _ if word.startswith("-") or found.file is not None:
                raise ValueError(f"unexpected argument {word!r}")
            case _:
                found.file = word
    return found


def _value_of(option: str, words: Iterator[str]) -> str:
    value = next(words, None)
    if value is None:
        raise ValueError(f"{option} wants a value")
    return value


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking pydantic apart again would cost 15 ms
