"""``superctl``: from argv to the exit code.

It must start in tens of milliseconds, since people run it in loops and health checks:
everything that a plain ``superctl status`` does not need is imported where it is used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from supervise import __version__, locate
from supervise.ctl.client import NativeClient
from supervise.ctl.command import Console
from supervise.ctl.options import USAGE, OptionError, Options, parse
from supervise.ctl.session import run_line
from supervise.errors import SuperviseError

FAILED, BAD_ARGUMENTS = 1, 2
INTERRUPTED, UNHEARD = 130, 141  # as a shell reports SIGINT and SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run superctl with the words after its name and give its exit code."""
    try:
        return _main(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:  # the client's are told apart below: this is our output
        _silence()
        if isinstance(error, BrokenPipeError):  # `superctl status | head -1` has seen enough
            return UNHEARD
        print(f"Error: standard output: {error.strerror}", file=sys.stderr)
        return FAILED


def _silence() -> None:
    """Let the interpreter flush what nobody takes without a complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _main(argv: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        _pass_bytes_through(stream)
    try:
        options = parse(argv)
        if options.help or options.version:
            print(USAGE if options.help else __version__)
            return 0
        return _run(options)
    except (OptionError, SuperviseError) as error:
        print(f"Error: {error}\nFor help, use {sys.argv[0]} -h", file=sys.stderr)
        return BAD_ARGUMENTS


def _run(options: Options) -> int:
    here = _here()
    file = locate.find(options.configuration, sys.argv[0], here)
    settings = locate.client_settings(file, cwd=here)
    client = NativeClient(
        options.serverurl or settings.serverurl,
        settings.username if options.username is None else options.username,
        settings.password if options.password is None else options.password,
    )
    console = Console(
        sys.stdout,
        sys.stderr,
        ask=input if options.interactive else None,
        colours=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
        configuration=file,
    )
    code = run_line(options.action, client, console) if options.action else 0
    if options.interactive:
        from supervise.ctl.shell import Shell  # noqa: PLC0415 - readline and cmd, for people only

        Shell(client, console, settings.prompt).run(options.history_file or settings.history_file)
        return 0
    return code


def _here() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib is 5 ms
    except OSError:  # somebody has removed it under us; -c and -s still work
        return os.sep


def _pass_bytes_through(stream: object) -> None:
    """Write text as UTF-8, and what was not text in a log as the bytes that it was."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="surrogateescape")


if __name__ == "__main__":
    sys.exit(main())
