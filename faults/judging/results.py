"""What a scenario came to, and which promises it broke."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from faults.fault import OVERLAP_SECONDS


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
            broken.append(_describe_recovery(self.recovery_seconds, recovery_limit))
        return broken


def _describe_recovery(seconds: float, limit: float) -> str:
    if math.isinf(seconds):
        return "Work never went on."
    return f"Work went on too late: {seconds:.1f} s, and {limit:g} s are allowed."
