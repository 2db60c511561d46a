"""Whether the peer was itself: a peer that is slower than it should be would flatter us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

# Submits per second of the sample's code on newest releases, to those of uvicorn answering hello, each in
# one process, by concurrency; measured once with care on a machine of two cores.
RECORDED: Mapping[int, float] = {1: 0.79 / 7.4, 8: 0.87 / 28, 32: 0.88 / 27}
NEEDED_SHARE = 0.8


@dataclass(frozen=True)
class Check:
    """The peer's submits to a bare server's in this run, at one concurrency."""

    concurrency: int
    ratios: Sequence[float]

    @property
    def recorded(self) -> float:
        return RECORDED[self.concurrency]

    @property
    def share(self) -> float:
        """How much of the recorded ratio was reached."""
        return median(self.ratios) / self.recorded

    @property
    def is_void(self) -> bool:
        return self.share < NEEDED_SHARE
