"""Changes that race each other, and replies that get lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from redis import Redis

from harness.broker import Broker
from harness.proxies.losing import LosingProxy
from reports_worker import (
    NoSuchReportError,
    Reason,
    ReportQueue,
    Status,
    Submission,
    WrongStateError,
    connect,
)
from reports_worker.broker import keys
from reports_worker.broker.address import parse_address
from reports_worker.domain.report import Completed, Failed
from reports_worker.queue.leases import Execution, Leases

DAY = timedelta(days=1)
ROUNDS = 50


@pytest.fixture
def queue(redis: Redis) -> ReportQueue:
    return ReportQueue(redis, timeout=DAY)


@pytest.fixture
def leases(redis: Redis) -> Leases:
    return Leases(redis, retention=DAY)


def start(queue: ReportQueue, leases: Leases) -> Execution:
    task_id = queue.submit(Submission("Title", "sales"))
    execution = Execution(task_id, "execution")
    assert leases.start(execution, worker="worker", expires=DAY)
    return execution


def race(*calls: Callable[[], object]) -> list[object]:
    """Call them at the same moment; return what each returned or raised."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        barrier.wait(10)
        try:
            return call()
        except (NoSuchReportError, WrongStateError) as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_of_two_retries_at_once_one_is_done(redis: Redis, queue: ReportQueue, leases: Leases) -> None:
    for _ in range(ROUNDS):
        execution = start(queue, leases)
        leases.publish(execution, Failed(Reason.ERROR, "It failed."))

        results = race(*[lambda task_id=execution.task_id: queue.retry(task_id)] * 2)

        assert [type(result) for result in results if result is not None] == [WrongStateError]
        assert redis.lrange(keys.QUEUED, 0, -1).count(execution.task_id.encode()) == 1
        queue.delete(execution.task_id)


def test_a_cancel_that_was_accepted_is_never_overtaken(queue: ReportQueue, leases: Leases) -> None:
    for _ in range(ROUNDS):
        execution = start(queue, leases)

        cancelled, published = race(
            lambda: queue.cancel(execution.task_id),  # noqa: B023 - it is called before the next round
            lambda: leases.publish(execution, Completed({"total": 1})),  # noqa: B023
        )

        report = queue.find(execution.task_id)
        assert published is True
        assert report is not None
        is_accepted = not isinstance(cancelled, WrongStateError)
        assert report.status is (Status.FAILED if is_accepted else Status.COMPLETED)


def test_a_deleted_report_is_not_brought_back_by_its_end(
    redis: Redis, queue: ReportQueue, leases: Leases
) -> None:
    for _ in range(ROUNDS):
        execution = start(queue, leases)

        race(
            lambda: queue.delete(execution.task_id),  # noqa: B023 - it is called before the next round
            lambda: leases.publish(execution, Completed({"total": 1})),  # noqa: B023
            lambda: leases.progress(execution, 50, "half"),  # noqa: B023
        )

        assert not [key for key in redis.keys("*") if execution.task_id.encode() in key]
    assert queue.list().reports == ()


@pytest.fixture
def losing_queue(broker: Broker, redis: Redis) -> Iterator[ReportQueue]:
    """A queue that does not hear of its first change, which the broker makes; all others come through."""
    is_first = iter([True])
    proxy = LosingProxy(broker.port, is_lost=lambda request: b"EVALSHA" in request and next(is_first, False))
    other = ReportQueue(redis, timeout=DAY)
    task_id = other.submit(Submission("Before", "sales"))  # the scripts are known from now on
    other.cancel(task_id)
    other.retry(task_id)
    other.delete(task_id)
    yield ReportQueue(connect(parse_address(f"redis://127.0.0.1:{proxy.port}")), timeout=DAY)
    proxy.close()
    assert proxy.lost == 1


def test_a_report_whose_reply_was_lost_exists_once(losing_queue: ReportQueue, redis: Redis) -> None:
    task_id = losing_queue.submit(Submission("Lost", "sales"))

    assert redis.lrange(keys.QUEUED, 0, -1) == [task_id.encode()]
    assert redis.zcard(keys.REGISTRY) == 1


def test_a_cancel_whose_reply_was_lost_is_done(losing_queue: ReportQueue, queue: ReportQueue) -> None:
    task_id = queue.submit(Submission("Title", "sales"))

    assert losing_queue.cancel(task_id) is Status.FAILED


def test_a_retry_whose_reply_was_lost_is_done(losing_queue: ReportQueue, queue: ReportQueue) -> None:
    task_id = queue.submit(Submission("Title", "sales"))
    queue.cancel(task_id)

    losing_queue.retry(task_id)

    assert queue.list().reports[0].status is Status.PENDING


def test_a_delete_whose_reply_was_lost_is_done_and_another_finds_nothing(
    losing_queue: ReportQueue, queue: ReportQueue, redis: Redis
) -> None:
    task_id = queue.submit(Submission("Title", "sales"))

    losing_queue.delete(task_id)

    for other in (losing_queue, queue):
        with pytest.raises(NoSuchReportError):
            other.delete(task_id)
    kept = [redis.ttl(key) for key in redis.scan_iter("rq:reports:deleted:*")]
    assert len(kept) == 2  # the one before too
    assert all(0 < seconds <= 30 for seconds in kept)
