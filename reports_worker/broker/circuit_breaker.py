"""A circuit breaker, so that a broker that hangs does not block every thread of a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

PAUSE_SECONDS = 1.0
# A broker that refuses a connection does so at once, and needs no breaker.
SLOW_SECONDS = 0.5


class OpenCircuitError(RedisError):
    """The call was not made, since the broker did not answer another call a moment ago."""


class CircuitBreaker:
    """After a slow failure, calls fail at once for `PAUSE_SECONDS`; then one call at a time is a trial."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._open_until: float | None = None
        self._is_tried = False

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Guard one call of the broker; raise OpenCircuitError while the circuit is open."""
        begin, is_trial = self._now(), self._open_until is not None
        if is_trial:
            self._begin_trial(begin)
        try:
            yield
        except RedisError:
            now = self._now()
            self._open_until = now + PAUSE_SECONDS if now - begin >= SLOW_SECONDS else None
            raise
        else:
            self._open_until = None
        finally:
            if is_trial:
                self._is_tried = False

    def _begin_trial(self, now: float) -> None:
        with self._lock:
            if self._is_tried or (self._open_until is not None and now < self._open_until):
                raise OpenCircuitError("it did not answer a moment ago")
            self._is_tried = True
