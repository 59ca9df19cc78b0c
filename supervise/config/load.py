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
from dataclasses import dataclass, field

from supervise.config.outcome import read
from supervise.core.plan import encode, encode_problems
from supervise.core.spec import Plan
from supervise.errors import ConfigError

USAGE = (
    "usage: python -m supervise.config.load [--check] [--cwd DIR] [--override KEY=VALUE] ... FILE"
)


def load(
    path: str,
    overrides: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Plan:
    """Read ``path`` as ``outcome.read`` does. Raises ConfigError with every problem."""
    outcome = read(path, overrides, environ=environ, cwd=cwd)
    if outcome.plan is None:
        raise ConfigError(outcome.findings.first_problems())
    return outcome.plan


def main(argv: Sequence[str]) -> int:
    """Do what the module's text says; give the exit code."""
    gc.disable()  # we shall be gone before it pays, and pydantic starts faster
    environ = dict(os.environ)
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # no stranger's code, and 7 ms
    try:
        arguments = _arguments(argv)
    except ValueError as error:
        print(f"Error: {error}\n{USAGE}", file=sys.stderr)
        return 2
    if arguments.check:
        from supervise.config.check import check  # noqa: PLC0415 - the daemon does not check

        return check(arguments.file, cwd=arguments.cwd, environ=environ)
    if arguments.file is None:
        print(f"Error: no file\n{USAGE}", file=sys.stderr)
        return 2
    outcome = read(arguments.file, arguments.overrides, environ=environ, cwd=arguments.cwd)
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
