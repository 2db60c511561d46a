"""Numbers of several rounds, and ratios between two sides, round by round."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, and how far they lie apart."""

    median: float
    least: float
    most: float


def summarise(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def divide_pairs(dividends: Sequence[float], divisors: Sequence[float]) -> list[float]:
    """Divide what was measured in the same round: what slows a round down slows both sides of it."""
    return [dividend / divisor for dividend, divisor in zip(dividends, divisors, strict=True)]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def interleave(rounds: int, *measures: Callable[[], T]) -> tuple[list[T], ...]:
    """Measure each in every round, and begin with another one each time."""
    found: tuple[list[T], ...] = tuple([] for _ in measures)
    for number in range(rounds):
        for step in range(len(measures)):
            place = (number + step) % len(measures)
            found[place].append(measures[place]())
    return found
