"""Answers that many open pages ask for at once: made for the first of them, and given to all for a moment."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

T = TypeVar("T")

# Half of what an open page waits between its questions, so that each answer is newer than the one before.
SHARED_SECONDS = 1.0
# No page is given what is older than its own markup, since it asks no sooner than this after it was made.
OLDEST_SECONDS = 2.0
MOST_KEPT = 64


@dataclass
class _Entry(Generic[T]):
    making: threading.Lock = field(default_factory=threading.Lock)
    answer: T | None = None
    begun: float = 0.0


class SingleFlightCache(Generic[T]):
    """Keeps the newest answers of a process.

    Whoever comes while one is made anew gets the one before, so that they hold up no thread; unless that one
    is older than `OLDEST_SECONDS`.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for `key` less than `SHARED_SECONDS` ago, else make it."""
        entry = self._find(key)
        before = entry.answer
        if not entry.making.acquire(blocking=not self._is_within(OLDEST_SECONDS, entry)):
            return cast(T, entry.answer)
        try:
            # Who waited takes what was made meanwhile, however long that took: else all make it, one by one.
            if entry.answer is before and not self._is_within(SHARED_SECONDS, entry):
                self._make(entry, make)
            return cast(T, entry.answer)
        finally:
            entry.making.release()

    def renew(self, key: Hashable, make: Callable[[], T]) -> T:
        """Make the answer for `key` in any case, and give it to those who `get` it next."""
        return self._make(self._find(key), make)

    def _make(self, entry: _Entry[T], make: Callable[[], T]) -> T:
        begun = self._clock()
        answer = make()
        with self._lock:
            if entry.answer is None or begun >= entry.begun:
                entry.answer, entry.begun = answer, begun
        return answer

    def _is_within(self, seconds: float, entry: _Entry[T]) -> bool:
        return entry.answer is not None and self._clock() < entry.begun + seconds

    def _find(self, key: Hashable) -> _Entry[T]:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > MOST_KEPT:
                self._entries.popitem(last=False)
            return entry
