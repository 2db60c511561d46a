"""The liveness of a worker: each watched part must have moved recently."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A part of the worker: the time of its last move (monotonic seconds), and the longest time without one."""

    name: str
    moved_at: Callable[[], float]
    limit_seconds: float


class Liveness:
    """Watches the parts. Without parts the worker is alive: it waits for its broker to start."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._parts: tuple[Part, ...] = ()

    def watch(self, *parts: Part) -> None:
        self._parts += parts

    def find_fault(self) -> str | None:
        """Name the part that has not moved; None if the worker is alive."""
        for part in self._parts:
            age = self._now() - part.moved_at()
            if age > part.limit_seconds:
                return f"The {part.name} has not moved for {age:.0f} s; {part.limit_seconds:g} s are allowed."
        return None
