"""How a report stands in Redis, read back."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest
from redis import Redis
from rq.job import JobStatus

from reports_worker import Report, ReportQueue, Status, Submission
from reports_worker.broker import keys
from reports_worker.domain.report import Callback, CallbackStatus, Completed, Progress, Receipt
from reports_worker.domain.task_id import read_time
from reports_worker.queue.job_hash import FIELDS, TABLE, Cleared, list_cleared, read_report, write_fields
from reports_worker.queue.leases import Execution, Leases

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


# -- other versions


def test_fields_and_words_of_a_newer_version_hide_no_report(
    queue: ReportQueue, connection: Redis, task_id: str
) -> None:
    newer = {
        "status": "held",
        "reason": "quota",
        "owner": "somebody",
        "callback_url": "https://example.com/",
        "callback_status": "bounced",
        "artifacts": json.dumps([{"name": "a.csv", "signature": "x"}]),
        b"\xff": b"\xfe",
    }
    connection.hset(keys.job(task_id), mapping=newer)  # type: ignore[arg-type]

    report = find(queue, task_id)

    assert (report.status, report.reason) == (PENDING, "quota")
    assert report.callback == Callback("https://example.com/", CallbackStatus.PENDING)
    assert [receipt.name for receipt in report.artifacts] == ["a.csv"]
    assert [one.task_id for one in queue.list().reports] == [task_id]


def test_a_report_of_a_version_that_knew_few_fields_is_read_with_defaults(
    queue: ReportQueue, connection: Redis, task_id: str
) -> None:
    connection.delete(keys.job(task_id))
    connection.hset(keys.job(task_id), mapping={"status": "queued", "title": "Old", "type": "sales"})

    report = find(queue, task_id)

    assert report == Report(
        task_id, "Old", "sales", PENDING, read_time(task_id), position=report.position, progress=Progress()
    )


# -- the table


def test_each_field_stands_in_the_table_once_and_its_place_exists() -> None:
    names = [field.name for field in TABLE]
    assert len(set(names)) == len(names)
    assert FIELDS[0] == "status"
    for field in TABLE:
        if field.part:
            known = {one.name for one in fields(field.part)}
            assert (field.attribute or field.name) in known, field.name


def test_what_is_written_of_a_request_is_read_again(queue: ReportQueue) -> None:
    submission = Submission(
        "Quarter",
        "sales",
        {"region": "EU"},
        "somebody",
        callback_url="https://example.com/",
        formats=(),
        version="7",
    )

    report = find(queue, queue.submit(submission))

    assert (report.title, report.type, report.parameters) == ("Quarter", "sales", {"region": "EU"})
    assert (report.requester, report.formats, report.version) == ("somebody", (), "7")
    assert report.callback == Callback("https://example.com/")


@pytest.mark.parametrize(
    "source", [Submission("a", "sales", callback_url="", version=""), Completed({}, preview="", version="")]
)
def test_what_there_is_none_of_takes_no_room(source: Submission | Completed) -> None:
    assert set(write_fields(source)) <= {"title", "type", "parameters", "requester", "summary"}


def test_a_retry_removes_what_the_table_says_and_leaves_the_request(
    queue: ReportQueue, connection: Redis, task_id: str
) -> None:
    requested = connection.hgetall(keys.job(task_id))
    cleared = [*list_cleared(Cleared.BY_RETRY), *list_cleared(Cleared.BY_END)]
    connection.hset(keys.job(task_id), mapping={**dict.fromkeys(cleared, "1"), "status": "failed"})

    queue.retry(task_id)

    left = connection.hgetall(keys.job(task_id))
    assert not set(left) & {name.encode() for name in cleared}
    assert set(requested) <= set(left)


def test_a_new_end_removes_what_was_delivered_of_a_former_one(
    queue: ReportQueue, connection: Redis, leases: Leases
) -> None:
    task_id = queue.submit(Submission("Quarter", "sales", callback_url="https://example.com/"))
    execution = Execution(task_id, "x")
    assert leases.start(execution, worker="w", expires=timedelta(hours=1))
    connection.hset(keys.job(task_id), mapping=dict.fromkeys(list_cleared(Cleared.BY_END), "1"))

    receipt = Receipt("csv", "text/csv", 0.1, name="a.csv", size=1, sha256="0" * 64)
    assert leases.publish(execution, Completed({"total": 7}, [receipt], version="7"))

    report = find(queue, task_id)
    assert report.callback == Callback("https://example.com/")
    assert (report.artifacts, report.artifacts_at, report.version) == ((receipt,), "x", "7")


@pytest.mark.parametrize("name", ["retry", "shared"])
def test_scripts_take_the_lists_of_removed_fields_from_the_table(name: str) -> None:
    text = (resources.files("reports_worker.queue") / "lua" / f"{name}.lua").read_text()

    assert re.findall(r"'HDEL', .*", text)
    assert all("unpack(fields_cleared_by_" in found for found in re.findall(r"'HDEL', .*", text))
