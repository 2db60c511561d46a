"""What a worker and the process that it forks for a report tell each other, in memory that both share."""

from __future__ import annotations

import mmap
import struct
import time

# When the lease was renewed, whether the making has begun, whether it has ended as it should, and whether
# nobody wants the report any more.
_FORM = struct.Struct("d???")
_RENEWED, _BEGUN, _ENDED, _UNWANTED = 0, 8, 9, 10
_SECONDS, _FLAG = struct.Struct("d"), struct.Struct("?")
# It goes on while the machine sleeps, as the broker's clock does, and nobody can set it.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_now() -> float:
    """Seconds by a clock that only this machine's processes share."""
    return time.clock_gettime(_CLOCK)


class SharedState:
    """The state of one execution; each field has one writer."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _FORM.size)
        self.begin()

    def begin(self) -> None:
        """Forget the execution before: a lease is being taken now."""
        _FORM.pack_into(self._memory, 0, seconds_now(), False, False, False)

    @property
    def renewed_at(self) -> float:
        """When the lease was renewed, by `seconds_now()`, read before the renewal was asked for."""
        return float(_SECONDS.unpack_from(self._memory, _RENEWED)[0])

    @renewed_at.setter
    def renewed_at(self, seconds: float) -> None:
        _SECONDS.pack_into(self._memory, _RENEWED, seconds)

    @property
    def has_begun(self) -> bool:
        """Whether the forked process has come to the report: a fork may hang on a lock of another thread."""
        return bool(_FLAG.unpack_from(self._memory, _BEGUN)[0])

    def note_begin(self) -> None:
        _FLAG.pack_into(self._memory, _BEGUN, True)

    @property
    def has_ended(self) -> bool:
        """Whether the report was published, or was seen to be another's."""
        return bool(_FLAG.unpack_from(self._memory, _ENDED)[0])

    def note_end(self) -> None:
        _FLAG.pack_into(self._memory, _ENDED, True)

    @property
    def is_unwanted(self) -> bool:
        """Whether the report was cancelled or deleted, so that its making may end what it runs elsewhere."""
        return bool(_FLAG.unpack_from(self._memory, _UNWANTED)[0])

    def note_unwanted(self) -> None:
        _FLAG.pack_into(self._memory, _UNWANTED, True)
