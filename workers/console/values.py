"""Words of the command line that become numbers, with Symfony's refusals."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Final

_SIZE: Final = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)([kmgtKMGT]?)[bB]?")
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def positive(option: str) -> Callable[[str], int]:
    """Make a reader of whole numbers from 1 on."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise argparse.ArgumentTypeError(
                f'Option "{option}" must be a positive integer, "{text}" passed.'
            )
        return int(text)

    return read


def seconds(option: str, *, zero: bool = False) -> Callable[[str], float]:
    """Make a reader of finite seconds above 0, or from 0 on; fractions are fine."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
            least = "0 or more" if zero else "more than 0"
            raise argparse.ArgumentTypeError(
                f'Option "{option}" must be seconds, {least}, "{text}" passed.'
            )
        return value

    return read


def size(text: str) -> int:
    """Read bytes as PHP writes them: ``128M``, ``1g``, ``0x100000``, ``64kb``."""
    found = _SIZE.fullmatch(text.strip())
    value = int(found[1], 0 if found[1][:2] in {"0x", "0X"} else 10) if found else 0
    if not found or value == 0:
        raise argparse.ArgumentTypeError(
            f'Option "memory-limit" must be a size such as 128M, "{text}" passed.'
        )
    return value << 10 * _POWERS[found[2].lower()]


def as_size(value: int) -> str:
    """Write bytes in the largest unit that divides them, as one would type them."""
    unit = max(power for power in _POWERS.values() if value % 1024**power == 0)
    return f"{value >> 10 * unit}{' KMGT'[unit].strip()}"
