from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest
from workers.console import values


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1), ("64kb", 65536), ("128M", 128 << 20), ("1g", 1 << 30), ("2T", 2 << 40),
        ("0x100000", 1 << 20), (" 5M ", 5 << 20),
    ],
)  # fmt: skip
def test_a_size_is_read_as_php_writes_it(text: str, size: int) -> None:
    assert values.size(text) == size


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((values.size, text) for text in ("", "0", "M", "12X", "-1M", "1.5G", "٣")),
        *((values.positive("limit"), text) for text in ("", "0", "-1", "1.0", "x", "٣")),
        *((values.seconds("time-limit"), text) for text in ("", "0", "-1", "nan", "inf", "x")),
        (values.seconds("sleep", zero=True), "-0.1"),
    ],
)
def test_what_is_no_number_is_quoted(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f'"{text}" passed'):
        read(text)


@pytest.mark.parametrize("text", ["1", "1023", "1K", "128M", "3G", "1T"])
def test_a_size_is_written_as_it_was_read(text: str) -> None:
    assert values.as_size(values.size(text)) == text


def test_fractions_of_seconds_are_fine() -> None:
    assert values.seconds("time-limit")("0.5") == 0.5
    assert values.seconds("sleep", zero=True)("0") == 0
