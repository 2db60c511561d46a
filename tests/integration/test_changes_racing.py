"""Changes that race each other, and replies that get lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from redis import Redis

from reports_worker import (
    NoSuchReportError,
    Reason,
    ReportQueue,
    Status,
    Submission,
    WrongStateError,
    connect,
    keys,
)
from reports_worker.broker_addresses import parse_address
from reports_worker.leases import Execution, Leases
from reports_worker.model import Completed, Failed
from tests.brokers import Broker
from tests.integration.proxies import Proxy

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


def test_a_report_whose_reply_was_lost_exists_once(broker: Broker, redis: Redis) -> None:
    is_first = iter([True])
    proxy = Proxy(broker.port, is_lost=lambda request: b"EVALSHA" in request and next(is_first, False))
    try:
        queue = ReportQueue(connect(parse_address(f"redis://127.0.0.1:{proxy.port}")), timeout=DAY)
        ReportQueue(redis, timeout=DAY).submit(
            Submission("Before", "sales")
        )  # the script is known from now on

        task_id = queue.submit(Submission("Lost", "sales"))
    finally:
        proxy.close()

    assert proxy.lost == 1
    assert redis.lrange(keys.QUEUED, 0, -1).count(task_id.encode()) == 1
    assert redis.zcard(keys.REGISTRY) == 2
