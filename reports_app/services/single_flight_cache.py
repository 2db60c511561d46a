"""A cache of values that many open pages request at once: one request computes a value, the others share it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

T = TypeVar("T")

# Half of the interval at which an open page refreshes, so that each refresh gets a newer value than the previous one.
FRESH_SECONDS = 1.0
# A page refreshes for the first time this long after it was loaded, so no value is older than the loaded page.
MAX_STALE_SECONDS = 2.0
MAX_ENTRIES = 64


@dataclass
class _Entry(Generic[T]):
    refreshing: threading.Lock = field(default_factory=threading.Lock)
    value: T | None = None
    started_at: float = 0.0


class SingleFlightCache(Generic[T]):
    """Caches the newest values of a process (stale-while-revalidate).

    While an entry is being refreshed, other callers receive the previous value and do not block. They block only
    if the previous value is older than `MAX_STALE_SECONDS`.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the value for `key` if it is younger than `FRESH_SECONDS`; else compute it."""
        entry = self._find(key)
        previous = entry.value
        if not entry.refreshing.acquire(blocking=not self._is_younger(entry, MAX_STALE_SECONDS)):
            return cast(T, entry.value)
        try:
            # A caller that has waited takes the new value, however long it took: else all callers compute in turn.
            if entry.value is previous and not self._is_younger(entry, FRESH_SECONDS):
                self._refresh(entry, compute)
            return cast(T, entry.value)
        finally:
            entry.refreshing.release()

    def refresh(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Compute the value for `key` now, and cache it for the next `get`."""
        return self._refresh(self._find(key), compute)

    def _refresh(self, entry: _Entry[T], compute: Callable[[], T]) -> T:
        started_at = self._clock()
        value = compute()
        with self._lock:
            if entry.value is None or started_at >= entry.started_at:
                entry.value, entry.started_at = value, started_at
        return value

    def _is_younger(self, entry: _Entry[T], seconds: float) -> bool:
        return entry.value is not None and self._clock() < entry.started_at + seconds

    def _find(self, key: Hashable) -> _Entry[T]:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)
            return entry
