"""Reports and their places in Redis, when another program has changed one of the two alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from reports_worker import ReportQueue, Status, Submission
from reports_worker.broker import keys
from reports_worker.domain.report import Completed, Failed, Reason
from reports_worker.queue.leases import Execution, Leases
from reports_worker.queue.report_index import PAGE
from reports_worker.worker.reconciler import Reconciler

RETENTION = timedelta(days=30)
RUN = timedelta(hours=1)


@pytest.fixture
def reconciler(connection: Redis) -> Reconciler:
    return Reconciler(connection, retention=RETENTION)


@pytest.fixture
def ask(connection: Redis, queue: ReportQueue, leases: Leases) -> Callable[[str], str]:
    """Request a report, and bring it to the given state."""

    def make(state: str) -> str:
        task_id = queue.submit(Submission("Quarter", "sales"))
        execution = Execution(task_id, "x")
        if state == "waiting":
            return task_id
        connection.lrem(keys.QUEUED, 0, task_id)
        connection.rpush(keys.INTERMEDIATE, task_id)
        if state == "taken":
            return task_id
        assert leases.start(execution, worker="w", expires=RUN)
        if state == "completed":
            assert leases.publish(execution, Completed({"total": 7}))
        if state == "failed":
            assert leases.publish(execution, Failed(Reason.ERROR, "It broke."))
        return task_id

    return make


Ask = Callable[[str], str]
STATES = ["waiting", "taken", "running", "completed", "failed"]


def read_all(connection: Any) -> dict[bytes, object]:
    """Read all data of the broker, to check that nothing was changed."""
    readers = {
        b"list": lambda name: connection.lrange(name, 0, -1),
        b"zset": lambda name: connection.zrange(name, 0, -1, withscores=True),
        b"set": connection.smembers,
        b"hash": connection.hgetall,
        b"string": connection.get,
    }
    return {name: readers[connection.type(name)](name) for name in sorted(connection.scan_iter())}


def test_nothing_is_changed_where_reports_and_places_agree(
    connection: Redis, reconciler: Reconciler, ask: Ask
) -> None:
    for state in STATES:
        ask(state)
    before = read_all(connection)

    assert reconciler.do_counts_agree()
    assert list(reconciler.reconcile()) == []
    assert read_all(connection) == before


def test_a_waiting_report_that_is_in_no_queue_is_queued(
    connection: Redis, reconciler: Reconciler, ask: Ask
) -> None:
    others, lost = [ask("waiting"), ask("taken")], ask("waiting")
    connection.lrem(keys.QUEUED, 0, lost)

    assert not reconciler.do_counts_agree()
    assert list(reconciler.reconcile()) == [(lost, "queued")]

    assert connection.lrange(keys.QUEUED, 0, -1) == [others[0].encode(), lost.encode()]
    assert connection.lrange(keys.INTERMEDIATE, 0, -1) == [others[1].encode()]
    assert reconciler.do_counts_agree()


def test_a_queue_that_was_emptied_is_filled_again(
    connection: Redis, reconciler: Reconciler, ask: Ask
) -> None:
    ids = [ask("waiting") for _ in range(PAGE + 1)]
    connection.delete(keys.QUEUED)

    assert len(list(reconciler.reconcile())) == len(ids)
    assert sorted(connection.lrange(keys.QUEUED, 0, -1)) == sorted(task_id.encode() for task_id in ids)


def test_a_report_that_is_queued_twice_keeps_its_first_place(
    connection: Redis, reconciler: Reconciler, ask: Ask
) -> None:
    first, second = ask("waiting"), ask("waiting")
    connection.rpush(keys.QUEUED, first, first)

    assert not reconciler.do_counts_agree()
    assert list(reconciler.reconcile()) == [(first, "queued once")]
    assert connection.lrange(keys.QUEUED, 0, -1) == [first.encode(), second.encode()]


@pytest.mark.parametrize("state", ["taken", "running", "completed", "failed"])
def test_a_report_that_does_not_wait_is_taken_off_the_queue(
    connection: Redis, queue: ReportQueue, reconciler: Reconciler, ask: Ask, state: str
) -> None:
    task_id = ask(state)
    before = queue.find(task_id)
    connection.rpush(keys.QUEUED, task_id)

    assert not reconciler.do_counts_agree()
    assert list(reconciler.reconcile()) == [(task_id, "taken off the queue")]
    assert connection.llen(keys.QUEUED) == 0
    assert queue.find(task_id) == before


@pytest.mark.parametrize("state", STATES)
def test_a_report_that_is_gone_is_removed_from_all_places(
    connection: Redis, queue: ReportQueue, reconciler: Reconciler, ask: Ask, state: str
) -> None:
    task_id, other = ask(state), ask("waiting")
    connection.delete(keys.job(task_id), keys.lease(task_id))
    connection.zrem(keys.STARTED, f"{task_id}:x")

    assert (task_id, "gone") in list(reconciler.reconcile())

    page = queue.list()
    assert [report.task_id for report in page.reports] == [other]
    assert page.total == 1
    assert connection.lrange(keys.QUEUED, 0, -1) == [other.encode()]
    assert reconciler.do_counts_agree()


@pytest.mark.parametrize("state", STATES)
def test_a_report_that_is_missing_in_the_registry_is_listed_again(
    connection: Redis, queue: ReportQueue, reconciler: Reconciler, ask: Ask, state: str
) -> None:
    other, task_id = ask("waiting"), ask(state)
    connection.zrem(keys.REGISTRY, task_id)

    assert not reconciler.do_counts_agree()
    assert list(reconciler.reconcile()) == []
    assert [report.task_id for report in queue.list().reports] == [task_id, other]


def test_a_report_that_runs_without_a_lease_is_requeued(
    connection: Redis, queue: ReportQueue, reconciler: Reconciler, ask: Ask
) -> None:
    leased, task_id = ask("running"), ask("running")
    connection.delete(keys.lease(task_id))
    connection.delete(keys.STARTED)

    assert list(reconciler.reconcile()) == [(task_id, "queued")]
    report, other = queue.find(task_id), queue.find(leased)
    assert report is not None
    assert other is not None
    assert (report.status, other.status) == (Status.PENDING, Status.RUNNING)


@pytest.mark.parametrize("state", ["completed", "failed"])
@pytest.mark.parametrize("lost", [keys.EXPIRY, keys.FINISHED, keys.FAILED])
def test_an_ended_report_is_kept_until_its_time_and_no_longer(
    connection: Redis, reconciler: Reconciler, ask: Ask, state: str, lost: str
) -> None:
    task_id = ask(state)
    place = keys.FINISHED if state == "completed" else keys.FAILED
    is_hit = connection.zrem(lost, task_id)

    assert list(reconciler.reconcile()) == ([(task_id, "kept until its time")] if is_hit else [])
    scores = connection.zscore(place, task_id), connection.zscore(keys.EXPIRY, task_id)
    assert scores[0] == scores[1]
    assert connection.ttl(keys.job(task_id)) > RETENTION.total_seconds()


def test_a_report_that_rq_has_requeued_does_not_expire_while_it_waits(
    connection: Redis, reconciler: Reconciler, leases: Leases, queue: ReportQueue, ask: Ask
) -> None:
    task_id = ask("failed")
    # What RQ's requeue does.
    connection.zrem(keys.FAILED, task_id)
    connection.hset(keys.job(task_id), "status", "queued")
    connection.rpush(keys.QUEUED, task_id)
    connection.zadd(keys.EXPIRY, {task_id: 1})

    list(leases.sweep())
    assert queue.find(task_id) is not None
    connection.zadd(keys.EXPIRY, {task_id: 1})
    assert not reconciler.do_counts_agree()
    list(reconciler.reconcile())

    assert connection.zcard(keys.EXPIRY) == 0
    assert connection.ttl(keys.job(task_id)) == -1
    assert reconciler.do_counts_agree()


def test_all_reports_are_checked_only_when_the_counts_disagreed_twice(
    connection: Redis, reconciler: Reconciler, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    task_id = ask("waiting")
    connection.delete(keys.QUEUED)

    reconciler.check()
    assert connection.llen(keys.QUEUED) == 0
    reconciler.check()

    assert connection.lrange(keys.QUEUED, 0, -1) == [task_id.encode()]
    assert f"task {task_id}: report and queue disagreed, now the report is queued" in caplog.text


def test_one_worker_at_a_time_reconciles(connection: Redis, reconciler: Reconciler, ask: Ask) -> None:
    ask("waiting")
    connection.delete(keys.QUEUED)
    connection.set(keys.RECONCILING, "another")

    assert list(reconciler.reconcile()) == []
    connection.delete(keys.RECONCILING)
    assert len(list(reconciler.reconcile())) == 1
    assert not connection.exists(keys.RECONCILING)
