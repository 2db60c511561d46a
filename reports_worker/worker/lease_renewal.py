"""Lease renewal, on a thread of its own: RQ's loop may block, and a lease must be renewed in time."""

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

# A forked process begins its report within milliseconds, on a busy machine within seconds.
BEGIN_WITHIN_SECONDS = 10.0
# Grace period for a cancelled execution to cancel its query and to end.
CANCEL_WITHIN_SECONDS = 0.9
# Grace period for an execution that has published to end.
END_WITHIN_SECONDS = 5.0
_SWEEP_INTERVAL = timedelta(seconds=TICK_SECONDS / 2)
_CANCELLED = Failed(Reason.CANCELLED, CANCELLED)


class LeaseRenewal:
    """Renews the lease of the worker's execution, and sweeps for reports of workers that died.

    `kill` ends the job process. It is called when the lease is lost; when the lease could not be renewed for
    `LOST_AFTER_SECONDS`, before another worker can acquire it; and when the job process does not begin the
    report. `shared_state` carries the time of each renewal to the job process, which ends itself where this
    thread stops.
    """

    def __init__(self, leases: Leases, *, kill: Callable[[], None], shared_state: SharedState) -> None:
        self._leases = leases
        self._kill = kill
        self._shared_state = shared_state
        self._lock = threading.Lock()
        self._execution: Execution | None = None
        self._acquired_at = 0.0
        self._aborted: list[Execution] = []
        self._requeue_at: float | None = None
        self._kill_at: float | None = None
        self.thread = PeriodicThread("lease-renewal", TICK_SECONDS, self._tick)

    def acquire(self, execution: Execution) -> None:
        """Renew the lease of this execution from now on; `shared_state` has the time of its start."""
        with self._lock:
            self._execution, self._acquired_at, self._kill_at = execution, seconds_now(), None

    def release(self) -> None:
        """Renew no lease: the job process has ended."""
        with self._lock:
            self._execution = self._kill_at = None

    def has_aborted(self, execution: Execution) -> bool:
        """Return whether an outage of the broker ended this execution, whose report is requeued later."""
        return execution in self._aborted

    def requeue_after(self, grace: timedelta) -> None:
        """Requeue the report and end its execution if it still runs after `grace`. The execution does not count."""
        self._requeue_at = seconds_now() + grace.total_seconds()

    def _tick(self) -> None:
        """Renew first. An error ends the tick: further timeouts would delay the next renewal."""
        with self._lock:
            self._check_execution(seconds_now())
        self._requeue_aborted()
        self._sweep()

    def _check_execution(self, now: float) -> None:
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._kill()
        if self._execution is None:
            return
        age = now - self._shared_state.renewed_at
        if self._requeue_at is not None and now >= self._requeue_at:
            self._end(
                "the grace period is over", lambda execution: self._leases.requeue(execution, spent=False)
            )
        elif age >= LOST_AFTER_SECONDS:
            self._aborted.append(self._execution)
            self._end(f"its lease could not be renewed for {LOST_AFTER_SECONDS:g} s")
        elif not self._shared_state.has_begun and now - self._acquired_at >= BEGIN_WITHIN_SECONDS:
            self._end("its process hangs since its fork")
        elif age >= RENEW_EVERY_SECONDS:
            self._renew(self._execution, now)

    def _renew(self, execution: Execution, now: float) -> None:
        match self._leases.renew(execution):
            case Renewal.RENEWED:
                self._shared_state.renewed_at = now
            case Renewal.LOST if self._shared_state.has_ended:
                # The job process has published, and is about to end.
                self._execution, self._kill_at = None, now + END_WITHIN_SECONDS
            case Renewal.LOST:
                self._end("its lease is lost")
            case Renewal.UNWANTED:
                self._end_cancelled(execution, now)

    def _end_cancelled(self, execution: Execution, now: float) -> None:
        """Have the job process of a cancelled or deleted report end itself, so that it can cancel its query."""
        self._execution, self._kill_at = None, now + CANCEL_WITHIN_SECONDS
        self._shared_state.note_cancelled()
        self._leases.publish(execution, _CANCELLED)
        log.warning("task %s: the execution is ended: the report is cancelled", execution.task_id)

    def _end(self, why: str, release: Callable[[Execution], object] | None = None) -> None:
        """End the execution; `release` gives up the lease first, so that the execution can no longer publish."""
        execution, self._execution = self._execution, None
        if execution is None:
            return
        try:
            if release is not None:
                release(execution)
        finally:
            log.warning("task %s: the execution is ended: %s", execution.task_id, why)
            self._kill()

    def _requeue_aborted(self) -> None:
        """Requeue the reports whose executions an outage of the broker ended. These executions do not count."""
        while self._aborted:
            execution = self._aborted[0]
            if self._leases.requeue(execution, spent=False):
                log.warning("task %s: requeued after an outage of the broker", execution.task_id)
            self._aborted.pop(0)

    def _sweep(self) -> None:
        for task_id, outcome in self._leases.sweep(unless_within=_SWEEP_INTERVAL):
            if outcome != "expired":
                log.warning("task %s: its worker died, now the report is %s", task_id, outcome)
