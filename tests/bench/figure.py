"""One measured figure, and what it is worth beside its target."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a target; none of them fails a run, machines are noisy."""

    REACHED = "reached"
    AS_RATIO = "reached as a ratio"
    MISSED = "missed"
    OPEN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """``ours`` beside ``theirs`` in ``unit``, measured in the same run.

    ``expected`` is what the competitor reached where ``target`` was set: on a slower
    machine the target moves along with the competitor. A figure without a target (a
    floor, an explanation) has no verdict.
    """

    name: str
    unit: str
    ours: float | None
    theirs: float | None = None
    competitor: str = "supervisord"
    target: float | None = None
    expected: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the competitor's figure ours is."""
        if self.ours is None or not self.theirs:
            return None
        return self.ours / self.theirs

    @property
    def verdict(self) -> Verdict:
        if self.target is None or self.ours is None:
            return Verdict.OPEN
        if self._good(self.target):
            return Verdict.REACHED
        if self.theirs and self.expected and self._good(self.target * self.theirs / self.expected):
            return Verdict.AS_RATIO
        return Verdict.MISSED

    def _good(self, target: float) -> bool:
        assert self.ours is not None
        return self.ours >= target if self.more_is_better else self.ours <= target


def median(values: Sequence[float]) -> float | None:
    """Give the median; None of nothing, as when there is no competitor."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """Give the smallest value that ``share`` (0..1) of all do not exceed."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]
