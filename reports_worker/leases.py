"""Who may make a report: one execution at a time, for as long as it renews its lease.

Every change here is one script, so that it happens whole or not at all, whoever dies meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from redis import Redis

from . import clock, keys
from .model import Completed, Failed, Outcome, Reason
from .scripts import load_script

LEASE = timedelta(seconds=12)
MOST_EXECUTIONS = 4
SUSPICION = timedelta(seconds=5)
ABANDONED = (
    f"The worker that made this report died, {MOST_EXECUTIONS} times in a row. "
    "It may need more memory than there is: ask for less, or tell who runs this."
)

_SHARED_KEYS = (keys.QUEUED, keys.INTERMEDIATE, keys.STARTED, keys.FINISHED, keys.FAILED, keys.REGISTRY,
                keys.EXPIRY, keys.SUSPECTS, keys.QUEUES)  # fmt: skip


@dataclass(frozen=True)
class Execution:
    """One attempt at making one report."""

    task_id: str
    id: str


class Leases:
    """The leases of all reports, in Redis. Methods raise redis-py's errors."""

    def __init__(self, connection: Redis, *, retention: timedelta) -> None:
        self._start = load_script(connection, "start", shared=True)
        self._renew = load_script(connection, "renew")
        self._progress = load_script(connection, "progress")
        self._publish = load_script(connection, "publish", shared=True)
        self._release = load_script(connection, "release", shared=True)
        self._sweep = load_script(connection, "sweep", shared=True)
        self._settings = json.dumps(
            {
                "job": keys.JOB_PREFIX,
                "lease": keys.LEASE_PREFIX,
                "execution": keys.EXECUTION_PREFIX,
                "executions": keys.EXECUTIONS_PREFIX,
                "worker": keys.WORKER_PREFIX,
                "lease_ms": int(LEASE / timedelta(milliseconds=1)),
                "retention": int(retention.total_seconds()),
                "most_executions": MOST_EXECUTIONS,
                "suspicion_seconds": SUSPICION.total_seconds(),
                "abandoned": ABANDONED,
            }
        )

    def start(self, execution: Execution, *, worker: str, expires: timedelta) -> bool:
        """Take the lease of a queued report; False if it is not queued any more.

        `expires` is how long RQ is to think that the execution lives; no decision rests on it.
        """
        now = clock.now()
        score = (now + expires).timestamp()
        return bool(
            self._shared(self._start, execution.task_id, execution.id, clock.to_text(now), worker, score)
        )

    def renew(self, execution: Execution) -> bool:
        """Extend the lease; False if it has passed to another or the report has ended."""
        lease_ms = int(LEASE / timedelta(milliseconds=1))
        return bool(self._renew(keys=[keys.lease(execution.task_id)], args=[execution.id, lease_ms]))

    def progress(self, execution: Execution, percent: int, stage: str) -> bool:
        """Say how far the report is; False, and nothing written, if the lease is lost."""
        names = [keys.lease(execution.task_id), keys.job(execution.task_id)]
        return bool(self._progress(keys=names, args=[execution.id, percent, stage]))

    def publish(self, execution: Execution, outcome: Outcome) -> bool:
        """End the report; False, and nothing written, if the lease is lost."""
        status, fields = _outcome_fields(outcome)
        now = clock.to_text(clock.now())
        return bool(self._shared(self._publish, execution.task_id, execution.id, now, status, *fields))

    def put_back(self, execution: Execution, *, spent: bool) -> str:
        """Give up an execution: its report is made again, or ends if `MOST_EXECUTIONS` were spent."""
        now = clock.to_text(clock.now())
        return cast(
            bytes, self._shared(self._release, execution.task_id, execution.id, now, int(spent))
        ).decode()

    def sweep(self) -> Iterator[tuple[str, str]]:
        """Put back what dead workers held; yield each id with what became of it."""
        found = cast(list[bytes], self._shared(self._sweep, clock.to_text(clock.now())))
        for position in range(0, len(found), 2):
            yield found[position].decode(), found[position + 1].decode()

    def _shared(self, script: Any, *arguments: str | float) -> object:
        return script(keys=_SHARED_KEYS, args=(self._settings, *arguments))


def _outcome_fields(outcome: Outcome) -> tuple[str, tuple[str, ...]]:
    match outcome:
        case Completed(summary):
            return "finished", (
                "summary",
                json.dumps(summary, allow_nan=False),
                "percent",
                "100",
                "stage",
                "",
            )
        case Failed(reason, error):
            return "failed", ("reason", Reason(reason), "error", error)
