"""Simulated reports: no data, only the time of a real report and plausible figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from reports_worker.lib.units import SecondsRange
from reports_worker.report_types.report_type import ReportContext, ReportType

Figures = Mapping[str, Any]
STEP_SECONDS = 0.5


def simulated_type(
    name: str,
    title: str,
    description: str,
    *,
    stages: Sequence[str],
    draw: Callable[[Random], Figures],
    allowed: SecondsRange,
) -> ReportType:
    """Make a report type that goes through `stages` of equal length, and then draws its figures.

    The task id seeds the draw, so a report that is run again after a crash has the same figures.
    """

    def make(context: ReportContext) -> Figures:
        random = Random(context.task_id)  # noqa: S311 - simulated figures, no secret
        seconds = choose_seconds(allowed, random)
        _pass_time(seconds, stages, context)
        return {**draw(random), "processing_time": round(seconds)}

    return ReportType(name, title, description, make)


def choose_seconds(allowed: SecondsRange, random: Random) -> float:
    """Choose a whole number of seconds where the range has one, otherwise any number in the range."""
    low, high = -int(-allowed.low // 1), int(allowed.high)
    return random.randint(low, high) if low <= high else random.uniform(allowed.low, allowed.high)


def _pass_time(seconds: float, stages: Sequence[str], context: ReportContext) -> None:
    begin = time.monotonic()
    steps = max(len(stages), round(seconds / STEP_SECONDS))
    for step in range(steps):
        context.progress(100 * step // steps, stages[step * len(stages) // steps])
        time.sleep(max(0.0, begin + seconds * (step + 1) / steps - time.monotonic()))
