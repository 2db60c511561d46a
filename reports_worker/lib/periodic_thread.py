"""Threads that repeat a step, and continue after any error of a step."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from redis.exceptions import ConnectionError as BrokerConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as BrokerTimeoutError

log = logging.getLogger(__name__)

LOGGED_AGAIN_SECONDS = 300.0
_JOIN_SECONDS = 1.0

Step = Callable[[], object]
Errors = tuple[type[Exception], ...]


class FailureLog:
    """Logs a failure once, and again when it changes, after a success, or after some minutes.

    An error that is `expected`, such as an outage, takes one line. Any other is a defect or foreign data, and is
    logged with its traceback.
    """

    def __init__(
        self, name: str, *, expected: Errors = (RedisError,), now: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._expected = expected
        self._now = now
        self._last = ""
        self._logged_at = 0.0
        # The number of unexpected errors in a row.
        self.unforeseen = 0

    def note_success(self) -> None:
        self.unforeseen = 0
        self._last = ""

    def note(self, error: Exception) -> None:
        """Count and log an error."""
        is_expected = isinstance(error, self._expected)
        self.unforeseen = 0 if is_expected else self.unforeseen + 1
        text = f"{type(error).__name__}: {error}"
        if text == self._last and self._now() - self._logged_at < LOGGED_AGAIN_SECONDS:
            return
        self._last, self._logged_at = text, self._now()
        if is_expected:
            log.warning("%s: %s: %s", self._name, _describe(error), error)
        else:
            log.error("%s: failed, %s times in a row", self._name, self.unforeseen, exc_info=error)


class PeriodicThread:
    """Takes a step at intervals until it is stopped; after a step that returns True, the next step follows at once.

    `moved_at` (monotonic seconds) is when a step last ended without an unforeseen error. Liveness reads it, so that
    a thread that stands still and one that fails again and again look alike; an outage of the broker does not.
    """

    def __init__(
        self, name: str, every_seconds: float, step: Step, *, expected: Errors = (RedisError,)
    ) -> None:
        self._every_seconds = every_seconds
        self._step = step
        self._failures = FailureLog(name, expected=expected)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.moved_at = time.monotonic()

    def start(self) -> None:
        self.moved_at = time.monotonic()
        self._thread.start()

    def stop(self, *, wait_seconds: float = _JOIN_SECONDS) -> None:
        """Take no further step, and wait a moment for the current step."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=wait_seconds)

    def take_step(self) -> bool:
        """Take one step; return whether the next step follows at once."""
        try:
            has_more = self._step()
        except Exception as error:  # the thread continues after any error
            self._failures.note(error)
            has_more = False
        else:
            self._failures.note_success()
        if not self._failures.unforeseen:
            self.moved_at = time.monotonic()
        return has_more is True

    def _run(self) -> None:
        pause = self._every_seconds
        while not self._stopped.wait(pause):
            pause = 0 if self.take_step() else self._every_seconds


def _describe(error: Exception) -> str:
    if isinstance(error, (BrokerConnectionError, BrokerTimeoutError)):
        return "the broker does not answer"
    return "the broker refuses a command" if isinstance(error, RedisError) else "this is not possible now"
