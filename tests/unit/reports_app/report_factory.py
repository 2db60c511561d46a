"""Reports in every status, changed in the same way as by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn

from flask import Flask
from redis import Redis

from reports_app.services.container import EXTENSION
from reports_worker import Reason, ReportQueue, Submission
from reports_worker.broker import keys
from reports_worker.domain.report import Completed, Failed, Outcome
from reports_worker.lib import clock
from reports_worker.queue.callback_outbox import Attempt, Deliveries
from reports_worker.queue.leases import Execution, Leases

FIGURES: Mapping[str, Any] = {
    "total_sales": 35420,
    "orders": 287,
    "average_order_value": 123.45,
    "top_product": "Product-42",
    "processing_time": 8,
}
COMPLETED = Completed(FIGURES)
# The form of an id, and never one: tests that run side by side must have the same names.
UNKNOWN_ID = "0190a2b4-5c6d-7000-8000-00000000abcd"


class ReportFactory:
    """Requests reports and changes their status, with the product's own scripts."""

    def __init__(self, connection: Redis, queue: ReportQueue) -> None:
        self.connection = connection
        self._queue = queue
        self._leases = Leases(connection, retention=timedelta(days=30))

    def request(
        self, title: str = "Q4 sales", report_type: str = "sales", *, callback_url: str | None = None
    ) -> str:
        """Leave a pending report; return its id."""
        return self._queue.submit(Submission(title, report_type, callback_url=callback_url))

    def start(self, title: str = "Q4 sales", *, percent: int = 0, stage: str = "") -> str:
        """Leave a running report; return its id."""
        self.begin(task_id := self.request(title))
        self.advance(task_id, percent=percent, stage=stage)
        return task_id

    def complete(
        self,
        title: str = "Q4 sales",
        figures: Mapping[str, Any] = FIGURES,
        *,
        outcome: Completed | None = None,
    ) -> str:
        """Leave a completed report; return its id."""
        self.end(task_id := self.start(title), outcome or Completed(figures))
        return task_id

    def fail(self, title: str = "Q4 sales", error: str = "It broke.", reason: Reason = Reason.ERROR) -> str:
        """Leave a failed report; return its id."""
        self.end(task_id := self.start(title), Failed(reason, error))
        return task_id

    def begin(self, task_id: str) -> None:
        """Begin to make a pending report, which a worker has taken from the queue."""
        self.connection.lrem(keys.QUEUED, 0, task_id)
        assert self._leases.start(Execution(task_id, "1"), worker="bench", expires=timedelta(hours=1))

    def advance(self, task_id: str, *, percent: int, stage: str) -> None:
        """Set the progress of a running report."""
        assert self._leases.progress(Execution(task_id, "1"), percent, stage)

    def end(self, task_id: str, outcome: Outcome = COMPLETED) -> None:
        """End a running report."""
        assert self._leases.publish(Execution(task_id, "1"), outcome)

    def deliver(self, attempt: Attempt) -> None:
        """Record an attempt of the delivery that is due first."""
        deliveries = Deliveries(self.connection, retention=timedelta(days=30), delays=[timedelta()])
        delivery = deliveries.claim()
        assert delivery is not None
        assert deliveries.record(delivery, attempt, now=clock.now())

    def remove(self, task_id: str) -> None:
        """Take a report away as its expiry does."""
        self.connection.zrem("rq:reports", task_id)
        self.connection.delete(f"rq:job:{task_id}")


class BrokenQueue(ReportQueue):
    """Raises unexpected errors."""

    def find(self, task_id: str) -> NoReturn:
        raise RuntimeError(f"a secret about {task_id}")

    def list(self, **_: object) -> NoReturn:
        raise RuntimeError("a secret about all")


def break_queue(app: Flask) -> None:
    """Replace the queue of the application by one that raises."""
    services = app.extensions[EXTENSION]
    broken = BrokenQueue(services.queue.connection, timeout=timedelta(hours=1))
    app.extensions[EXTENSION] = replace(services, queue=broken)
