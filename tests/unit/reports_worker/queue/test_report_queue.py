"""Asking for reports and looking at them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fakeredis import FakeServer, FakeStrictRedis
from redis import Redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from reports_worker import BrokerUnavailableError, Progress, ReportQueue, Status, Submission, is_task_id
from reports_worker.broker import keys
from reports_worker.domain.task_id import new_task_id


def submit_many(queue: ReportQueue, count: int) -> list[str]:
    """Ids, newest first."""
    return sorted((queue.submit(Submission(f"Report {n}", "sales")) for n in range(count)), reverse=True)


def counting_ids() -> Callable[[], str]:
    ids = iter(f"00000000-0000-7000-8000-{number:012x}" for number in range(10_000))
    return lambda: next(ids)


def test_a_submitted_report_waits_and_can_be_found(queue: ReportQueue) -> None:
    before = datetime.now(UTC)
    task_id = queue.submit(Submission("Quarter 3 👩‍👧", "sales", requester="ada"))

    report = queue.find(task_id)

    assert report is not None
    assert is_task_id(report.task_id)
    assert (report.task_id, report.title, report.type) == (task_id, "Quarter 3 👩‍👧", "sales")
    assert report.requester == "ada"
    assert report.status is Status.PENDING
    assert not report.status.is_terminal
    assert before <= report.created_at <= datetime.now(UTC)
    assert (report.started_at, report.ended_at) == (None, None)
    assert report.progress == Progress(0, "")
    assert (report.result, report.error, report.reason) == (None, None, None)
    assert report.parameters == {}


def test_a_submitted_report_stands_in_queue_and_registry(queue: ReportQueue, connection: Redis) -> None:
    task_id = queue.submit(Submission("Quarter", "sales"))

    assert connection.lrange(keys.QUEUED, 0, -1) == [task_id.encode()]
    assert connection.zrange(keys.REGISTRY, 0, -1, withscores=True) == [(task_id.encode(), 0)]
    assert connection.smembers(keys.QUEUES) == {keys.QUEUED.encode()}
    assert connection.ttl(keys.job(task_id)) == -1


def test_a_submitted_report_is_a_job_that_rq_can_read(queue: ReportQueue, connection: Redis) -> None:
    task_id = queue.submit(Submission("<script>", "sales"))

    job = Job.fetch(task_id, connection=connection, serializer=JSONSerializer)

    assert job.get_status() is JobStatus.QUEUED
    assert job.func_name == "reports_worker.make_report"
    assert (job.args, job.kwargs) == ([], {})
    assert job.timeout == 3600
    assert job.origin == "reports"
    assert job.description == "report"


def test_a_submit_that_is_sent_twice_queues_one_report(connection: Redis) -> None:
    task_id = new_task_id()
    queue = ReportQueue(connection, timeout=timedelta(hours=1), new_id=lambda: task_id)

    queue.submit(Submission("Quarter", "sales"))
    queue.submit(Submission("Quarter", "sales"))

    assert connection.lrange(keys.QUEUED, 0, -1) == [task_id.encode()]
    assert queue.list().total == 1


@pytest.mark.parametrize("task_id", [new_task_id(), "", "7", "*", "../etc/passwd", "\ud800", "x" * 10_000])
def test_an_id_of_no_report_finds_none(queue: ReportQueue, task_id: str) -> None:
    assert queue.find(task_id) is None


def test_reports_are_listed_newest_first(queue: ReportQueue) -> None:
    ids = submit_many(queue, 5)

    page = queue.list()

    assert [report.task_id for report in page.reports] == ids
    assert page.total == 5
    assert page.next_cursor is None


def test_the_list_of_no_reports_is_empty(queue: ReportQueue) -> None:
    page = queue.list()

    assert (page.reports, page.total, page.next_cursor) == ((), 0, None)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 10, 11, 500])
def test_pages_follow_each_other_without_gap_or_repetition(connection: Redis, limit: int) -> None:
    queue = ReportQueue(connection, timeout=timedelta(hours=1), new_id=counting_ids())
    ids = submit_many(queue, 10)

    seen, cursor = [], None
    while True:
        page = queue.list(limit=limit, cursor=cursor)
        assert len(page.reports) <= limit
        assert page.total == 10
        seen += [report.task_id for report in page.reports]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ids


def test_a_cursor_stays_valid_when_its_report_is_gone(connection: Redis) -> None:
    queue = ReportQueue(connection, timeout=timedelta(hours=1), new_id=counting_ids())
    ids = submit_many(queue, 5)
    first = queue.list(limit=2)

    assert first.next_cursor == ids[1]
    connection.delete(keys.job(ids[1]))
    connection.zrem(keys.REGISTRY, ids[1])
    second = queue.list(limit=2, cursor=first.next_cursor)

    assert [report.task_id for report in second.reports] == ids[2:4]


def test_a_cursor_that_never_was_starts_where_it_would_stand(connection: Redis) -> None:
    queue = ReportQueue(connection, timeout=timedelta(hours=1), new_id=counting_ids())
    ids = submit_many(queue, 3)

    assert queue.list(cursor=new_task_id()).reports == queue.list().reports
    assert queue.list(cursor=ids[-1]).reports == ()


def test_reports_that_come_meanwhile_do_not_shift_later_pages(connection: Redis) -> None:
    queue = ReportQueue(connection, timeout=timedelta(hours=1), new_id=counting_ids())
    ids = submit_many(queue, 4)
    cursor = queue.list(limit=2).next_cursor
    submit_many(queue, 3)

    page = queue.list(limit=2, cursor=cursor)

    assert [report.task_id for report in page.reports] == ids[2:]
    assert page.total == 7


def test_registry_entries_without_a_report_are_skipped(queue: ReportQueue, connection: Redis) -> None:
    ids = submit_many(queue, 3)
    connection.delete(keys.job(ids[1]))
    connection.zadd(keys.REGISTRY, {"zzz": 0})

    page = queue.list()

    assert [report.task_id for report in page.reports] == [ids[0], ids[2]]


def test_a_page_of_nothing_but_ghosts_still_leads_on(connection: Redis) -> None:
    queue = ReportQueue(connection, timeout=timedelta(hours=1), new_id=counting_ids())
    ids = submit_many(queue, 4)
    connection.delete(*(keys.job(task_id) for task_id in ids[:2]))

    page = queue.list(limit=2)

    assert page.reports == ()
    assert [report.task_id for report in queue.list(cursor=page.next_cursor).reports] == ids[2:]


def test_a_broker_that_does_not_answer_is_said_in_our_own_words() -> None:
    server = FakeServer()
    queue = ReportQueue(FakeStrictRedis(server=server), timeout=timedelta(hours=1))
    server.connected = False

    for call in (
        lambda: queue.submit(Submission("Quarter", "sales")),
        lambda: queue.find(new_task_id()),
        queue.list,
        queue.check,
    ):
        with pytest.raises(BrokerUnavailableError, match=r"^The broker cannot be used: "):
            call()
