"""A report as RQ's job."""

from __future__ import annotations

from typing import Any, NoReturn

from rq.job import Job

from .model import Report
from .records import FIELDS, read_report

_ELSEWHERE = "Reports are made by the worker of this product: rq worker -c reports_worker.rq_config"


def make_report() -> NoReturn:
    """Stand for the making of a report in what RQ stores; only a worker that is not ours calls it."""
    raise RuntimeError(_ELSEWHERE)


class ReportJob(Job):
    """A job that knows its report, and whose function is never looked up.

    RQ imports and calls whatever function a job names, so who can write to Redis could run anything.
    What our worker runs is decided by the report's type alone.
    """

    report: Report | None = None

    def restore(self, raw_data: dict[bytes, bytes]) -> Any:
        self.report = read_report(self.id, [raw_data.get(name.encode()) for name in FIELDS])
        return super().restore(raw_data)

    def perform(self) -> Any:
        raise RuntimeError(_ELSEWHERE)
