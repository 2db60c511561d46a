"""What every measurement needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.broker import ConfiguredBroker

from .targets import Ours, Peer


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int = 5
    seconds: int = 2
    stored: tuple[int, ...] = (100, 10_000, 100_000)
    picked_up: int = 100
    made_by_us: int = 200
    made_by_peer: int = 1000
    exported: int = 1_000_000
    orders: int = 20_000_000
    orders_in_server: int = 2_000_000
    is_quick: bool = False

    @classmethod
    def quick(cls) -> Extent:
        """Enough to see that everything works, and for nothing else."""
        return cls(
            rounds=1,
            seconds=1,
            stored=(100, 1000),
            picked_up=10,
            made_by_us=30,
            made_by_peer=100,
            exported=20_000,
            orders=20_000,
            orders_in_server=20_000,
            is_quick=True,
        )


@dataclass(frozen=True)
class Bench:
    """A broker, the two sides, a folder for what passes, and how much to measure."""

    broker: ConfiguredBroker
    ours: Ours
    peer: Peer
    folder: Path
    extent: Extent
    tell: Callable[[str], None]
