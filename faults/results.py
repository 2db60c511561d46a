"""What a scenario came to, and which promises it broke."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .fault import OVERLAP_SECONDS


@dataclass(frozen=True)
class Result:
    """One scenario: a fault at a step. Seconds are infinite where work never went on."""

    fault: str
    step: str
    accepted: int
    lost: int
    published_twice: int
    overlap_seconds: float
    recovery_seconds: float
    complaints: Sequence[str] = ()

    def find_broken(self, *, recovery_limit: float) -> list[str]:
        """Say in sentences which promises are broken."""
        broken = list(self.complaints)
        if not self.accepted:
            broken.append("No report was accepted.")
        if self.lost:
            broken.append(f"{self.lost} of {self.accepted} accepted reports were lost.")
        if self.published_twice:
            broken.append(f"{self.published_twice} reports were published twice or exist twice.")
        if self.overlap_seconds > OVERLAP_SECONDS:
            broken.append(f"Two attempts at a report overlapped for {self.overlap_seconds:.1f} s.")
        if self.recovery_seconds > recovery_limit:
            took = "never went on" if math.isinf(self.recovery_seconds) else f"{self.recovery_seconds:.1f} s"
            broken.append(f"Work went on too late: {took}, and {recovery_limit:g} s are allowed.")
        return broken


def gather(results: Iterable[Result]) -> Result:
    """Put the results of one fault at several steps together: sums, and the worst."""
    found = list(results)
    return Result(
        fault=found[0].fault,
        step=", ".join(result.step for result in found),
        accepted=sum(result.accepted for result in found),
        lost=sum(result.lost for result in found),
        published_twice=sum(result.published_twice for result in found),
        overlap_seconds=max(result.overlap_seconds for result in found),
        recovery_seconds=max(result.recovery_seconds for result in found),
        complaints=[complaint for result in found for complaint in result.complaints],
    )
