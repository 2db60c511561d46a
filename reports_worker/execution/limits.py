"""The limit watcher of a job process. It runs on a thread, since no signal interrupts code that runs in C.

Code that holds the interpreter's lock prevents this thread from running; the worker watches the process too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psutil

from reports_worker.domain.report import Failed, Reason
from reports_worker.lib.periodic_thread import FailureLog
from reports_worker.lib.units import format_size
from reports_worker.queue.lease_timing import LOST_AFTER_SECONDS, TICK_SECONDS

from .shared_state import SharedState, seconds_now

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.25
# Longer than the worker waits, so that a worker that still runs ends the job process first.
STALE_AFTER_SECONDS = LOST_AFTER_SECONDS + TICK_SECONDS


@dataclass(frozen=True)
class Limits:
    """The limits of one report: time, and bytes of memory (the process' proportional set size)."""

    time: timedelta
    memory: int


class LimitWatcher:
    """Calls `on_exceeded` when a limit is exceeded, and `on_lost` when the execution has lost its report.

    The report is lost when the worker no longer renews the lease, such as a stopped worker, or when the report
    is cancelled or deleted. Both functions are called on the watcher's thread.
    """

    def __init__(
        self,
        limits: Limits,
        shared_state: SharedState,
        *,
        on_exceeded: Callable[[Failed], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._limits = limits
        self._shared_state = shared_state
        self._on_exceeded = on_exceeded
        self._on_lost = on_lost
        self._failures = FailureLog("the limit watcher")
        self._begin = time.monotonic()
        self._has_limits = True
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._run, name="limit-watcher", daemon=True).start()

    def stop_limits(self) -> None:
        """Check no limit from now on, only the lease. Waits for a running `on_exceeded`."""
        with self._lock:
            self._has_limits = False

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self._check()
            except Exception as error:  # such as memory that cannot be measured: the watcher continues
                self._failures.note(error)

    def _check(self) -> None:
        if seconds_now() - self._shared_state.renewed_at >= STALE_AFTER_SECONDS:
            self._on_lost("the worker no longer renews the lease")
        if self._shared_state.is_cancelled:
            self._on_lost("the report is cancelled")
        with self._lock:
            if self._has_limits and (failed := self._find_exceeded()):
                self._on_exceeded(failed)

    def _find_exceeded(self) -> Failed | None:
        if time.monotonic() - self._begin >= self._limits.time.total_seconds():
            seconds = self._limits.time.total_seconds()
            return Failed(
                Reason.TIMEOUT,
                f"The report took longer than the {seconds:g} s that it may run (REPORTS_TIMEOUT). "
                "Request a smaller report, or have the limit raised.",
            )
        used = psutil.Process().memory_full_info().pss
        if used > self._limits.memory:
            return Failed(
                Reason.MEMORY,
                f"The report took {format_size(used)} of memory, and {format_size(self._limits.memory)} are "
                "allowed (REPORTS_MEMORY). Request a smaller report, or have the limit raised.",
            )
        return None
