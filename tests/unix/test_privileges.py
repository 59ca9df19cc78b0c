"""Limits and users of the daemon itself."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

import pytest

from supervise.core.spec import UserSpec
from supervise.errors import ServerError
from supervise.unix import privileges

NOFILE = resource.RLIMIT_NOFILE


@pytest.fixture(autouse=True)
def _limits_as_before() -> Iterator[None]:
    before = resource.getrlimit(NOFILE)
    yield
    resource.setrlimit(NOFILE, before)


def test_we_get_the_hard_limit_and_children_what_we_were_born_with() -> None:
    _, hard = resource.getrlimit(NOFILE)
    resource.setrlimit(NOFILE, (500, hard))
    born_with = privileges.descriptors()

    assert privileges.raise_descriptors(100, born_with) == (500, hard)
    assert resource.getrlimit(NOFILE) == (hard, hard)
    assert privileges.raise_descriptors(100, born_with) == (500, hard)
    assert privileges.raise_descriptors(600, born_with) == (600, hard)


def test_becoming_who_we_are_is_nothing() -> None:
    privileges.become(UserSpec("me", os.getuid(), 12345, ()))

    assert os.getgid() != 12345


@pytest.mark.skipif(os.getuid() == 0, reason="root may")
def test_becoming_somebody_else_needs_root() -> None:
    with pytest.raises(ServerError, match=r"\[supervisord\] user: cannot become root"):
        privileges.become(UserSpec("root", 0, 0, ()))
