"""What a plan depends on beside the files: variables, users, names of places."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from supervise.config.expand import Names, environment_names
from supervise.core.spec import UserSpec


class Accounts(Protocol):
    def user(self, name: str) -> UserSpec:
        """Give uid, gid and supplementary groups. Raises ValueError if there is no such user."""

    def owner(self, text: str) -> tuple[int, int]:
        """Give uid and gid (-1: not given) of ``user:group``. Raises ValueError."""


class EnvFiles(Protocol):
    def read(self, path: str) -> dict[str, str]:
        """Give the variables of a file. Raises ValueError with what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``cwd`` is where relative paths start, ``uid`` who we are, ``temporary`` for AUTO logs."""

    environ: Mapping[str, str]
    cwd: str
    node: str
    uid: int
    temporary: str
    accounts: Accounts
    env_files: EnvFiles

    @staticmethod
    def is_directory(path: str) -> bool:
        return os.path.isdir(path)

    def names(self) -> Names:
        """Give what can be expanded everywhere; ``here`` depends on the file."""
        return Names(environment_names(self.environ), host_node_name=self.node, here=self.cwd)

    def absolute(self, path: str, base: str | None = None) -> str:
        """Give ``path`` from the root on, with ``~`` replaced."""
        joined = os.path.join(base or self.cwd, os.path.expanduser(path))
        return os.path.normpath(joined)
