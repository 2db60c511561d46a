"""The worker's watch over leases, on a thread of its own: RQ's loop may block, a lease may not wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from reports_worker.domain.report import Failed, Reason
from reports_worker.execution.shared_state import SharedState, seconds_now
from reports_worker.lib.periodic_thread import PeriodicThread
from reports_worker.queue.lease_timing import LOST_AFTER_SECONDS, RENEW_EVERY_SECONDS, TICK_SECONDS
from reports_worker.queue.leases import Execution, Leases, Renewal
from reports_worker.queue.scripts import CANCELLED

log = logging.getLogger(__name__)

# A forked process comes to its report within milliseconds, even on a busy machine within seconds.
BEGIN_WITHIN_SECONDS = 10.0
# A making that nobody wants any more is given this long to cancel its query and to end by itself.
CANCEL_WITHIN_SECONDS = 0.9
# One that has published has nothing left to do.
END_WITHIN_SECONDS = 5.0
_ENOUGH_SWEEPING = timedelta(seconds=TICK_SECONDS / 2)
_CANCELLED = Failed(Reason.CANCELLED, CANCELLED)


class LeaseRenewal:
    """Renews the lease of what the worker makes, and sweeps up after workers that died.

    `kill` ends the making process; it is called when the lease is lost or could not be renewed for
    `LOST_AFTER_SECONDS`, which is before it can pass to another; and when the making process does not come
    to the report. `shared` tells that process of each renewal, so that it ends by itself where this thread
    stands still.
    """

    def __init__(self, leases: Leases, *, kill: Callable[[], None], shared: SharedState) -> None:
        self._leases = leases
        self._kill = kill
        self._shared = shared
        self._lock = threading.Lock()
        self._held: Execution | None = None
        self._held_since = 0.0
        self._aborted: list[Execution] = []
        self._requeue_at: float | None = None
        self._kill_at: float | None = None
        self.thread = PeriodicThread("lease-keeper", TICK_SECONDS, self._tick)

    def hold(self, execution: Execution) -> None:
        """Renew this lease from now on; `shared` says since when it is held."""
        with self._lock:
            self._held, self._held_since, self._kill_at = execution, seconds_now(), None

    def release(self) -> None:
        """Renew nothing: the making process has ended."""
        with self._lock:
            self._held = self._kill_at = None

    def has_aborted(self, execution: Execution) -> bool:
        """Tell whether an outage of the broker ended this making, whose report is put back later."""
        return execution in self._aborted

    def requeue_after(self, grace: timedelta) -> None:
        """Put the report back unspent, and end its making, if it still runs after `grace`."""
        self._requeue_at = seconds_now() + grace.total_seconds()

    def _tick(self) -> None:
        """Renew first. What fails ends the tick: with more timeouts to wait for, the next renewal would be late."""
        with self._lock:
            self._care_for_held(seconds_now())
        self._requeue_aborted()
        self._sweep()

    def _care_for_held(self, now: float) -> None:
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._kill()
        if self._held is None:
            return
        age = now - self._shared.renewed_at
        if self._requeue_at is not None and now >= self._requeue_at:
            self._end("the time to finish it is over", lambda held: self._leases.requeue(held, spent=False))
        elif age >= LOST_AFTER_SECONDS:
            self._aborted.append(self._held)
            self._end(f"its lease could not be renewed for {LOST_AFTER_SECONDS:g} s")
        elif not self._shared.has_begun and now - self._held_since >= BEGIN_WITHIN_SECONDS:
            self._end("its process hangs since its fork")
        elif age >= RENEW_EVERY_SECONDS:
            self._renew(self._held, now)

    def _renew(self, held: Execution, now: float) -> None:
        match self._leases.renew(held):
            case Renewal.RENEWED:
                self._shared.renewed_at = now
            case Renewal.LOST if self._shared.has_ended:
                # It has published, and is about to end.
                self._held, self._kill_at = None, now + END_WITHIN_SECONDS
            case Renewal.LOST:
                self._end("its lease is lost")
            case Renewal.UNWANTED:
                self._end_unwanted(held, now)

    def _end_unwanted(self, held: Execution, now: float) -> None:
        """End the making of what was cancelled or deleted: by itself, so that no query of its goes on."""
        self._held, self._kill_at = None, now + CANCEL_WITHIN_SECONDS
        self._shared.note_unwanted()
        self._leases.publish(held, _CANCELLED)
        log.warning("task %s: the making is ended: it is cancelled", held.task_id)

    def _end(self, why: str, first: Callable[[Execution], object] | None = None) -> None:
        """End the making; `first` gives up the lease, so that nothing can be published meanwhile."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            if first is not None:
                first(held)
        finally:
            log.warning("task %s: the making is ended: %s", held.task_id, why)
            self._kill()

    def _requeue_aborted(self) -> None:
        """Put back, unspent, what an outage of the broker ended; once it answers again."""
        while self._aborted:
            execution = self._aborted[0]
            if self._leases.requeue(execution, spent=False):
                log.warning("task %s: the broker was away, now it is to be made again", execution.task_id)
            self._aborted.pop(0)

    def _sweep(self) -> None:
        for task_id, outcome in self._leases.sweep(unless_within=_ENOUGH_SWEEPING):
            if outcome != "expired":
                log.warning("task %s: its worker died, now it is %s", task_id, outcome)
