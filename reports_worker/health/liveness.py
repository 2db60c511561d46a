"""Whether a worker lives: each of its parts that is to move must have moved lately."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A part of the worker, when it moved last (monotonic seconds), and how long it may stand still."""

    name: str
    moved_at: Callable[[], float]
    limit_seconds: float


class Liveness:
    """Knows the parts; one without any is alive, as a worker is that waits for its broker to start."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._parts: tuple[Part, ...] = ()

    def watch(self, *parts: Part) -> None:
        self._parts += parts

    def find_fault(self) -> str | None:
        """Say which part stands still; None if the worker lives."""
        for part in self._parts:
            age = self._now() - part.moved_at()
            if age > part.limit_seconds:
                return f"The {part.name} has not moved for {age:.0f} s; {part.limit_seconds:g} s are allowed."
        return None
