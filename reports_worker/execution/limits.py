"""The watch that a making process keeps over itself, on a thread: no signal interrupts code that runs in C.

Code that holds the interpreter's lock all the while keeps this thread from running; the worker watches too.
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
# The worker itself ends its making first, where it can.
STALE_AFTER_SECONDS = LOST_AFTER_SECONDS + TICK_SECONDS


@dataclass(frozen=True)
class Limits:
    """What one report may take: time, and bytes of memory (the process' proportional set size)."""

    time: timedelta
    memory: int


class LimitWatcher:
    """While the body runs, calls `on_passed` when a limit is passed; and `on_lost`, until it is stopped, when
    the worker renews the lease no more, as a worker does that was stopped, or when nobody wants the report
    any more. Both are called on its thread.
    """

    def __init__(
        self,
        limits: Limits,
        shared: SharedState,
        *,
        on_passed: Callable[[Failed], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._limits = limits
        self._shared = shared
        self._on_passed = on_passed
        self._on_lost = on_lost
        self._failures = FailureLog("the watch over a report")
        self._begin = time.monotonic()
        self._is_making = True
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._run, name="guard", daemon=True).start()

    def stop_limits(self) -> None:
        """The figures are there: only the lease counts from here on. Waits for a limit that was passed."""
        with self._lock:
            self._is_making = False

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self._look()
            except Exception as error:  # such as a memory that cannot be measured: the watch goes on
                self._failures.note(error)

    def _look(self) -> None:
        if seconds_now() - self._shared.renewed_at >= STALE_AFTER_SECONDS:
            self._on_lost("its worker renews the lease no more")
        if self._shared.is_unwanted:
            self._on_lost("it is cancelled")
        with self._lock:
            if self._is_making and (failed := self._find_passed()):
                self._on_passed(failed)

    def _find_passed(self) -> Failed | None:
        if time.monotonic() - self._begin >= self._limits.time.total_seconds():
            seconds = self._limits.time.total_seconds()
            return Failed(
                Reason.TIMEOUT,
                f"The report took longer than the {seconds:g} s that it may run (REPORTS_TIMEOUT). "
                "Ask for less, or have the limit raised.",
            )
        used = psutil.Process().memory_full_info().pss
        if used > self._limits.memory:
            return Failed(
                Reason.MEMORY,
                f"The report took {format_size(used)} of memory, and {format_size(self._limits.memory)} are "
                "allowed (REPORTS_MEMORY). Ask for less, or have the limit raised.",
            )
        return None
