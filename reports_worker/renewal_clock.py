"""When a lease was last renewed: written by the worker, read by the process that it forked."""

from __future__ import annotations

import math
import mmap
import struct
import time

_SECONDS = struct.Struct("d")
# It goes on while the machine sleeps, as the broker's clock does, and nobody can set it.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_now() -> float:
    """Seconds by a clock that only this machine's processes share."""
    return time.clock_gettime(_CLOCK)


class RenewalClock:
    """A time in memory that a process shares with those that it forks; one writes it, the others read."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SECONDS.size)
        self.at = seconds_now()

    @property
    def at(self) -> float:
        """When the lease was renewed, by `seconds_now()`, read before the renewal was asked for."""
        return float(_SECONDS.unpack_from(self._memory)[0])

    @at.setter
    def at(self, seconds: float) -> None:
        _SECONDS.pack_into(self._memory, 0, seconds)

    def stop(self) -> None:
        """Say that the execution has ended as it should: no renewal is waited for any more."""
        self.at = math.inf

    @property
    def is_stopped(self) -> bool:
        return self.at == math.inf
