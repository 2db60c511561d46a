"""A report as RQ's job, and the queue that hands it out."""

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
    """A job that knows its report, and of which nothing else is read.

    RQ imports and calls whatever functions a job names, the one to run and those for its end, so who can write to
    Redis could run anything; and it raises over fields that it cannot read. What our worker runs is decided by the
    report's type alone.
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
        """Read the report, and how long it may take. A record that is no report has none, and is ended as such."""
        self.report = read_report(self.id, [raw_data.get(name.encode()) for name in FIELDS])
        self.origin = keys.QUEUE
        self.timeout = _read_timeout(raw_data.get(b"timeout", b""))

    def get_status(self, refresh: bool = True) -> JobStatus:
        """Ask for the status; one that RQ does not know is that of a job which was started."""
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
    """RQ's queue, which hands out task ids alone."""

    @classmethod
    def lmove(cls, connection: Redis, queue_key: str, timeout: int | None) -> tuple[str, bytes] | None:
        """Take the first entry that can be a report; take those before it off the queue."""
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
