"""A clock of a process's own, which the suite can shift while the process runs (libfaketime)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import MissingToolError

_FOLDERS = ("/usr/lib", "/usr/local/lib", "/usr/lib64")
# Not libfaketimeMT: it holds a mutex in each call for the time, which a fork may find locked for ever.
_PATTERNS = ("*/faketime/libfaketime.so.1", "faketime/libfaketime.so.1")
NOTICED_SECONDS = 1


class ShiftedClock:
    """A clock that goes right until it is shifted. CLOCK_MONOTONIC never is: no system shifts that."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.shift(0)

    @property
    def environ(self) -> Mapping[str, str]:
        """What a process needs in its environment to have this clock."""
        return {
            "LD_PRELOAD": find_library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_CACHE_DURATION": str(NOTICED_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def shift(self, seconds: int) -> None:
        """Let it jump to so many seconds before or after the time."""
        new = self._path.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n", encoding="ascii")
        new.rename(self._path)


def find_library() -> str:
    """Find libfaketime; raise MissingToolError where it is not installed."""
    for folder in map(Path, _FOLDERS):
        for pattern in _PATTERNS:
            if found := next(folder.glob(pattern), None):
                return str(found)
    raise MissingToolError("Clocks cannot be shifted: libfaketime is not installed. apt-get install faketime")
