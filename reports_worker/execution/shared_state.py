"""The state that a worker and its job process exchange, in shared memory."""

from __future__ import annotations

import mmap
import struct
import time

# The time of the last renewal, whether the execution has begun, has ended, and is cancelled.
_LAYOUT = struct.Struct("d???")
_RENEWED, _BEGUN, _ENDED, _CANCELLED = 0, 8, 9, 10
_SECONDS, _FLAG = struct.Struct("d"), struct.Struct("?")
# This clock counts while the machine sleeps, as the broker's clock does, and cannot be set.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_now() -> float:
    """Return the seconds of a clock that all processes of this machine share."""
    return time.clock_gettime(_CLOCK)


class SharedState:
    """The state of one execution; each field has one writer."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _LAYOUT.size)
        self.begin()

    def begin(self) -> None:
        """Reset the state for a new execution, whose lease is being acquired."""
        _LAYOUT.pack_into(self._memory, 0, seconds_now(), False, False, False)

    @property
    def renewed_at(self) -> float:
        """The time of the last renewal, by `seconds_now()`, read before the request was sent."""
        return float(_SECONDS.unpack_from(self._memory, _RENEWED)[0])

    @renewed_at.setter
    def renewed_at(self, seconds: float) -> None:
        _SECONDS.pack_into(self._memory, _RENEWED, seconds)

    @property
    def has_begun(self) -> bool:
        """Whether the job process has begun the report: a fork may hang on a lock of another thread."""
        return bool(_FLAG.unpack_from(self._memory, _BEGUN)[0])

    def note_begin(self) -> None:
        _FLAG.pack_into(self._memory, _BEGUN, True)

    @property
    def has_ended(self) -> bool:
        """Whether the outcome was published, or was dropped since the lease is lost."""
        return bool(_FLAG.unpack_from(self._memory, _ENDED)[0])

    def note_end(self) -> None:
        _FLAG.pack_into(self._memory, _ENDED, True)

    @property
    def is_cancelled(self) -> bool:
        """Whether the report was cancelled or deleted, so that the job process can cancel its query."""
        return bool(_FLAG.unpack_from(self._memory, _CANCELLED)[0])

    def note_cancelled(self) -> None:
        _FLAG.pack_into(self._memory, _CANCELLED, True)
