"""How a report stands in Redis, read back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from redis import Redis
from rq.job import JobStatus

from reports_worker import Report, ReportQueue, Status, Submission
from reports_worker.broker import keys
from reports_worker.queue.job_hash import FIELDS, read_report

PENDING, RUNNING, COMPLETED, FAILED = Status

STATUSES = {
    JobStatus.CREATED: PENDING,
    JobStatus.QUEUED: PENDING,
    JobStatus.DEFERRED: PENDING,
    JobStatus.SCHEDULED: PENDING,
    JobStatus.RATE_LIMITED: PENDING,
    JobStatus.READY_TO_ENQUEUE: PENDING,
    JobStatus.STARTED: RUNNING,
    JobStatus.FINISHED: COMPLETED,
    JobStatus.FAILED: FAILED,
    JobStatus.STOPPED: FAILED,
    JobStatus.CANCELED: FAILED,
}


def find(queue: ReportQueue, task_id: str) -> Report:
    report = queue.find(task_id)
    assert report is not None
    return report


def test_every_status_of_rq_has_one_of_ours() -> None:
    assert set(STATUSES) == set(JobStatus)


@pytest.mark.parametrize(("theirs", "ours"), STATUSES.items())
def test_a_status_of_rq_is_read_as_ours(
    queue: ReportQueue, connection: Redis, task_id: str, theirs: JobStatus, ours: Status
) -> None:
    connection.hset(keys.job(task_id), "status", theirs.value)

    report = find(queue, task_id)

    assert report.status is ours
    assert queue.list().reports == (replace(report, position=None),)


def test_a_result_begins_with_title_and_type(queue: ReportQueue, connection: Redis, task_id: str) -> None:
    connection.hset(keys.job(task_id), mapping={"status": "finished", "summary": json.dumps({"total": 7})})

    result = find(queue, task_id).result

    assert result is not None
    assert list(result.items()) == [("title", "Quarter"), ("type", "sales"), ("total", 7)]


def test_times_are_read_as_utc(queue: ReportQueue, connection: Redis, task_id: str) -> None:
    connection.hset(keys.job(task_id), "started_at", "2026-02-03T04:05:06.000007Z")

    assert find(queue, task_id).started_at == datetime(2026, 2, 3, 4, 5, 6, 7, UTC)


def test_an_empty_time_is_none(queue: ReportQueue, connection: Redis, task_id: str) -> None:
    connection.hset(keys.job(task_id), mapping={"started_at": "", "ended_at": ""})

    report = find(queue, task_id)

    assert (report.started_at, report.ended_at) == (None, None)


def test_error_and_reason_are_read(queue: ReportQueue, connection: Redis, task_id: str) -> None:
    connection.hset(keys.job(task_id), mapping={"status": "failed", "error": "It broke.", "reason": "error"})

    report = find(queue, task_id)

    assert (report.error, report.reason) == ("It broke.", "error")


@pytest.mark.parametrize("missing", ["status", "title"])
def test_a_job_that_is_no_report_is_none(
    queue: ReportQueue, connection: Redis, task_id: str, missing: str
) -> None:
    connection.hdel(keys.job(task_id), missing)

    assert queue.find(task_id) is None
    assert queue.list().reports == ()


def test_nothing_read_is_no_report() -> None:
    assert read_report("7", [None] * len(FIELDS)) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("parameters", "{"),
        ("created_at", "yesterday"),
        ("percent", "half"),
        ("summary", "[1]"),
        ("title", b"\xff"),
    ],
)
def test_a_record_that_is_damaged_is_no_report_and_hides_no_other(
    queue: ReportQueue, connection: Redis, task_id: str, field: str, value: str | bytes
) -> None:
    other = queue.submit(Submission("Other", "users"))
    connection.hset(keys.job(task_id), field, value)

    assert queue.find(task_id) is None
    assert [report.task_id for report in queue.list().reports] == [other]
