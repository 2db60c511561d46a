"""Which execution may make a report: one at a time, as long as its worker renews the lease.

Every change here is one script, so that it happens whole or not at all, even when a worker dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from itertools import chain
from typing import cast

from redis import Redis

from reports_worker.broker import keys
from reports_worker.domain.report import Failed, Outcome
from reports_worker.lib import clock

from .job_hash import check_readable, write_fields
from .lease_timing import LEASE, MOST_EXECUTIONS, SUSPICION, UNATTENDED
from .scripts import ABANDONED, SharedScripts, load_script
from .stored_entries import read_outcomes

__all__ = [
    "ABANDONED",
    "LEASE",
    "MOST_EXECUTIONS",
    "SUSPICION",
    "UNATTENDED",
    "Execution",
    "Leases",
    "Renewal",
]


@dataclass(frozen=True)
class Execution:
    """One execution of one report; `number` counts this one and those before it whose process died."""

    task_id: str
    id: str
    number: int = field(default=1, compare=False)


class Renewal(IntEnum):
    """The outcome of a renewal, as `renew.lua` returns it."""

    LOST = 0
    RENEWED = 1
    UNWANTED = 2


class Leases:
    """The leases of all reports, in Redis. Methods raise redis-py's errors."""

    def __init__(self, connection: Redis, *, retention: timedelta) -> None:
        self._pool = connection.connection_pool
        self._run = SharedScripts(connection, retention=retention)
        self._renew = load_script(connection, "renew")
        self._progress = load_script(connection, "progress")
        self._run.load("start", "publish", "release", "sweep")

    def connect(self) -> None:
        """Open the connection that the next command uses. Without a password or TLS that sends nothing."""
        self._pool.release(self._pool.get_connection())

    def start(self, execution: Execution, *, worker: str, expires: timedelta) -> int:
        """Acquire the lease of a queued report; 0 if it is not queued any more, or the queue is paused.

        Else returns the number of this execution, from 1 on.

        `expires` is how long RQ treats the execution as alive; no decision depends on it.
        """
        now = clock.now()
        score = (now + expires).timestamp()
        found = self._run("start", execution.task_id, execution.id, clock.to_text(now), worker, score)
        return max(0, int(cast(int | bytes | None, found) or 0))

    def renew(self, execution: Execution) -> Renewal:
        """Extend the lease; return whether it is lost, or the report was cancelled or deleted."""
        lease_ms = int(LEASE / timedelta(milliseconds=1))
        names = [keys.lease(execution.task_id), keys.job(execution.task_id)]
        return Renewal(cast(int, self._renew(names, [execution.id, lease_ms])))

    def progress(self, execution: Execution, percent: int, stage: str) -> bool:
        """Write the progress of the report; False, and nothing written, if the lease is lost."""
        names = [keys.lease(execution.task_id), keys.job(execution.task_id)]
        return bool(self._progress(names, [execution.id, percent, stage]))

    def publish(self, execution: Execution, outcome: Outcome) -> bool:
        """End the report; False, and nothing written, if the lease is lost or the report is deleted.

        A report whose cancel was accepted ends as cancelled, whatever the outcome.
        """
        status, fields = _write_end(outcome, execution)
        pairs = chain.from_iterable(fields.items())
        now = clock.to_text(clock.now())
        return bool(self._run("publish", execution.task_id, execution.id, now, status, *pairs))

    def requeue(self, execution: Execution, *, spent: bool, why: str = ABANDONED) -> str:
        """Release an execution: its report runs again, or ends if it was cancelled or no execution is left.

        To be called when the process of the execution has ended; `why` is the error of an abandoned report. Returns
        `queued`, `cancelled` or `abandoned`; or nothing if the report has ended, or another execution has it.
        """
        now = clock.to_text(clock.now())
        found = self._run("release", execution.task_id, execution.id, now, int(spent), why)
        return cast(bytes, found).decode()

    def sweep(self, *, unless_within: timedelta = timedelta()) -> Iterator[tuple[str, str]]:
        """Requeue the reports of dead workers; yield each id with its outcome.

        Does nothing if another worker has swept within `unless_within`, nor for the time of a lease after
        `UNATTENDED` without a sweep.
        """
        now = clock.to_text(clock.now())
        found = self._run("sweep", now, unless_within.total_seconds())
        yield from read_outcomes(cast(list[bytes], found))


def _write_end(outcome: Outcome, execution: Execution) -> tuple[str, dict[str, str]]:
    """Write RQ's status and the fields of an end. Raises ValueError for what no reader could read."""
    fields = write_fields(outcome)
    if isinstance(outcome, Failed):
        return "failed", fields
    check_readable(fields)
    if outcome.artifacts:
        fields["artifacts_at"] = execution.id
    return "finished", {**fields, "percent": "100", "stage": ""}
