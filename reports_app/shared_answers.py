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
MOST_KEPT = 64


@dataclass
class _Entry(Generic[T]):
    making: threading.Lock = field(default_factory=threading.Lock)
    answer: T | None = None
    until: float = 0.0


class SharedAnswers(Generic[T]):
    """Keeps the newest answers of a process.

    Whoever comes while one is made anew gets the one before, so that they hold up no thread.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for `key` less than `SHARED_SECONDS` ago, else make it."""
        entry = self._find(key)
        if not entry.making.acquire(blocking=entry.answer is None):
            return cast(T, entry.answer)
        try:
            if entry.answer is None or self._clock() >= entry.until:
                begun = self._clock()
                entry.answer = make()
                entry.until = begun + SHARED_SECONDS
            return entry.answer
        finally:
            entry.making.release()

    def _find(self, key: Hashable) -> _Entry[T]:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > MOST_KEPT:
                self._entries.popitem(last=False)
            return entry
