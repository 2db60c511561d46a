"""A report as RQ's job, and RQ's queue restricted to reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus

from reports_worker.broker import keys
from reports_worker.broker.errors import is_wrong_type
from reports_worker.domain.report import Report
from reports_worker.queue.job_hash import FIELDS, make_report, read_report
from reports_worker.queue.stored_entries import decode_id, set_aside

_LONGEST_TIMEOUT = int(timedelta(days=3650).total_seconds())


class ReportJob(Job):
    """A job that reads its report and its timeout from Redis, and no other field.

    RQ imports and calls the functions that a job names: the job's function and its callbacks. So anyone who can
    write to Redis could run any code. RQ also raises over fields that it cannot read. This worker runs the code
    of the report's type alone.
    """

    report: Report | None = None

    def refresh(self) -> None:
        try:
            super().refresh()  # type: ignore[no-untyped-call]  # RQ's own
        except ResponseError as error:
            if is_wrong_type(error):
                raise NoSuchJobError(f"No such job: {self.key}") from error
            raise

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Read the report and its timeout. A record that is no valid report gets None, and the worker rejects it."""
        self.report = read_report(self.id, [raw_data.get(name.encode()) for name in FIELDS])
        self.origin = keys.QUEUE
        self.timeout = _read_timeout(raw_data.get(b"timeout", b""))

    def get_status(self, refresh: bool = True) -> JobStatus:
        """Read the status; a status that RQ does not know counts as started."""
        try:
            return super().get_status(refresh)
        except ValueError:
            return JobStatus.STARTED

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def perform(self) -> Any:
        make_report()


class ReportsQueue(Queue):
    """RQ's queue, which returns valid task ids alone."""

    @classmethod
    def lmove(cls, connection: Redis, queue_key: str, timeout: int | None) -> tuple[str, bytes] | None:
        """Take the first entry that is a task id; remove foreign entries before it."""
        while found := super().lmove(connection, queue_key, timeout):
            _, entry = found
            if decode_id(entry):
                return queue_key, entry
            connection.lrem(keys.INTERMEDIATE, 0, entry)
            set_aside(connection, queue_key, [entry])
        return None


def _read_timeout(text: bytes) -> int | None:
    """Read whole seconds; None for what cannot be a time limit."""
    seconds = int(text) if text.isdigit() and len(text) <= len(str(_LONGEST_TIMEOUT)) else 0
    return seconds if 0 < seconds <= _LONGEST_TIMEOUT else None
