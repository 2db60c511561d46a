"""What was measured, and which bar it is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .rounds import divide_pairs


@dataclass(frozen=True)
class AtLeast:
    """The ratio to the peer must not be lower."""

    ratio: float

    def __str__(self) -> str:
        return f"at least {self.ratio:g} times the peer's"

    def is_met(self, row: Row) -> bool:
        return row.ratio is not None and row.ratio >= self.ratio


@dataclass(frozen=True)
class AtMost:
    """The ratio to the peer must not be higher."""

    ratio: float

    def __str__(self) -> str:
        return f"at most {self.ratio:g} times the peer's"

    def is_met(self, row: Row) -> bool:
        return row.ratio is not None and row.ratio <= self.ratio


@dataclass(frozen=True)
class Within:
    """Our own value must not be higher, whatever the peer's is."""

    value: float

    def __str__(self) -> str:
        return f"ours at most {self.value:g}"

    def is_met(self, row: Row) -> bool:
        return median(row.ours) <= self.value


BARS = {kind.__name__: kind for kind in (AtLeast, AtMost, Within)}


@dataclass(frozen=True)
class Row:
    """A value for each round, of both sides or of ours alone; a bar where it is held to one."""

    name: str
    unit: str
    ours: Sequence[float]
    peer: Sequence[float] = ()
    bar: AtLeast | AtMost | Within | None = None

    @property
    def ratio(self) -> float | None:
        """The median of ours to the peer's, each pair of one round; None where the peer has none."""
        return median(divide_pairs(self.ours, self.peer)) if self.peer and all(self.peer) else None

    @property
    def is_met(self) -> bool | None:
        """None where there is no bar."""
        return None if self.bar is None else self.bar.is_met(self)
