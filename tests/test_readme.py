"""What the README says is what the programs do."""

from __future__ import annotations

import re
from pathlib import Path

from tests import reference

ROOT = Path(__file__).resolve().parents[1]


def test_the_reference_is_what_the_models_say() -> None:
    assert reference.written() == reference.render()


def test_the_make_targets_that_it_names_exist() -> None:
    named = set(re.findall(r"[$`] ?make ([a-z]+)", reference.README.read_text()))

    makefile = (ROOT / "Makefile").read_text()

    assert {target for target in named if f"\n{target}:" not in makefile} == set()


def test_the_files_that_it_names_exist() -> None:
    named = re.findall(
        r"`((?:etc|workers|supervise|tests)/[\w./-]+)`", reference.README.read_text()
    )

    assert [name for name in named if not (ROOT / name).exists()] == []
