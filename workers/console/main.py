"""``messenger``: finds the command, prints its errors as one line, gives the exit status.

0 done, 1 it could not be done, 2 it was not understood, 128 + n ended by signal n.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

from workers.console.command import Command, Context, UsageError
from workers.errors import WorkersError

_COMMANDS: Final = {
    "consume": "consume",
    "stop-workers": "stop",
    "dispatch": "dispatch",
    "stats": "stats",
    "setup-transports": "setup",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Only the module of that command is imported."""
    started = time.time()  # noqa: TID251 - compared with what another process writes
    _open_standard_streams()
    words = [_ours(word) for word in (sys.argv[1:] if argv is None else argv)]
    chosen = next((word for word in words if word in _COMMANDS), None)
    parser = _parser([chosen] if chosen else list(_COMMANDS))
    arguments = parser.parse_args(words, argparse.Namespace(config=None, verbose=0, quiet=False))
    context = Context(os.environ, sys.stdin, sys.stdout, sys.stderr, started)
    try:
        status: int = arguments.run(arguments, context)
        sys.stdout.flush()
    except UsageError as error:
        parser.error(str(error))
    except WorkersError as error:
        for line in str(error).splitlines() or [type(error).__name__]:
            print(f"messenger: {line}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _open_standard_streams() -> None:
    """Put /dev/null where one is closed: the next file that is opened would take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(fd, True)
            setattr(sys, name, os.fdopen(fd, mode))


def _ours(word: str) -> str:
    """Translate Symfony's name of a command into ours; leave every other word alone."""
    name = word.removeprefix("messenger:")
    return name if name in _COMMANDS else word


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line and where to read on."""
        self.exit(2, f"messenger: {message}\nmessenger: see {self.prog} --help\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata  # noqa: PLC0415 - 30 ms that no other command needs

        print(f"messenger {metadata.version('messenger-supervise')}")
        parser.exit(0)


def _parser(commands: Sequence[str]) -> argparse.ArgumentParser:
    shared = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("-c", "--config", metavar="FILE", help="messenger.toml to use")
    loudness = shared.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="count", help="-v notices, -vv infos, -vvv all")
    loudness.add_argument("-q", "--quiet", action="store_true", help="only errors")
    parser = _Parser(
        prog="messenger",
        description="Send messages to queues and consume them.",
        parents=[shared],
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="say it and leave")
    choices = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in commands:
        command: Command = import_module(f"workers.console.{_COMMANDS[name]}").COMMAND
        inner = choices.add_parser(
            name,
            help=command.help,
            description=command.help,
            parents=[shared],
            allow_abbrev=False,
        )
        command.arguments(inner)
        inner.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
