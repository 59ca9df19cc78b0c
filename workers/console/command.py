"""What a command is to ``main``: a name, its arguments, and a function that runs it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Context:
    """The world around a command. ``started`` is the wall clock when the process began."""

    environ: MutableMapping[str, str]
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    started: float


@dataclass(frozen=True, slots=True)
class Command:
    """``arguments`` fills a parser; ``run`` gives the exit status."""

    run: Callable[[argparse.Namespace, Context], int]
    arguments: Callable[[argparse.ArgumentParser], None]
    help: str


class UsageError(Exception):
    """A command line that cannot be meant: one line on standard error, exit status 2."""
