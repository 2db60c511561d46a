"""Earlier reports that serve instead of new ones, over a real broker."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from redis import Redis

from harness.broker import Broker
from harness.proxies.losing import LosingProxy
from reports_worker import (
    Accepted,
    IdempotencyConflictError,
    IdempotencyKey,
    ReportQueue,
    Status,
    Submission,
    connect,
)
from reports_worker.broker import keys
from reports_worker.broker.address import parse_address
from reports_worker.domain.report import Failed, Reason
from reports_worker.lib import clock
from tests.unit.reports_app.report_factory import ReportFactory

HOUR = timedelta(hours=1)
ASKED = Submission(
    "Quarter",
    "sales",
    {"region": "EU", "top": 5},
    formats=("csv",),
    max_age=HOUR,
    version="v1",
    requester="ada",
)
ROUNDS = 30


@pytest.fixture
def queue(redis: Redis) -> ReportQueue:
    return ReportQueue(redis, timeout=timedelta(days=1))


@pytest.fixture
def factory(redis: Redis, queue: ReportQueue) -> ReportFactory:
    return ReportFactory(redis, queue)


def ask(queue: ReportQueue, **changes: object) -> Accepted:
    return queue.accept(replace(ASKED, **changes))  # type: ignore[arg-type]


def complete(queue: ReportQueue, factory: ReportFactory) -> str:
    task_id = ask(queue, max_age=None).task_id
    factory.begin(task_id)
    factory.end(task_id)
    return task_id


def make_older(redis: Redis, task_id: str, age: timedelta) -> None:
    redis.hset(keys.job(task_id), "ended_at", clock.to_text(clock.now() - age))


def test_a_completed_report_of_the_same_serves(queue: ReportQueue, factory: ReportFactory) -> None:
    earlier = complete(queue, factory)

    assert ask(queue) == Accepted(earlier, Status.COMPLETED, is_earlier=True)
    assert ask(queue, title="Another title", parameters={"top": 5, "region": "EU"}).task_id == earlier
    assert queue.list().total == 1


def test_one_that_waits_or_is_made_serves_too(queue: ReportQueue, factory: ReportFactory) -> None:
    first = ask(queue)

    assert first == Accepted(first.task_id, Status.PENDING, is_earlier=False)
    assert ask(queue) == Accepted(first.task_id, Status.PENDING, is_earlier=True)
    factory.begin(first.task_id)
    assert ask(queue) == Accepted(first.task_id, Status.RUNNING, is_earlier=True)


def test_one_that_is_too_old_does_not_serve(queue: ReportQueue, factory: ReportFactory, redis: Redis) -> None:
    earlier = complete(queue, factory)

    make_older(redis, earlier, timedelta(minutes=59))
    assert ask(queue).task_id == earlier
    make_older(redis, earlier, timedelta(minutes=61))
    assert ask(queue, max_age=timedelta(hours=2)).task_id == earlier
    assert not ask(queue).is_earlier


@pytest.mark.parametrize(
    "changes",
    [
        {"requester": "bob"},
        {"type": "users"},
        {"parameters": {"region": "US", "top": 5}},
        {"parameters": {"region": "EU"}},
        {"version": "v2"},
        {"version": None},
        {"formats": ("csv", "pdf")},
        {"max_age": None},
    ],
)
def test_another_request_is_made_anew(
    queue: ReportQueue, factory: ReportFactory, changes: dict[str, object]
) -> None:
    earlier = complete(queue, factory)

    assert ask(queue, **changes).task_id != earlier


@pytest.mark.parametrize("end", ["cancel", "delete", "fail", "cancel while it is made"])
def test_what_failed_was_cancelled_or_deleted_never_serves(
    queue: ReportQueue, factory: ReportFactory, end: str
) -> None:
    task_id = ask(queue).task_id
    if end != "cancel":
        factory.begin(task_id)
    if end == "fail":
        factory.end(task_id, Failed(Reason.ERROR, "It broke."))
    elif end == "delete":
        queue.delete(task_id)
    else:
        queue.cancel(task_id)

    after = ask(queue)

    assert not after.is_earlier
    assert after.task_id != task_id
    assert ask(queue).task_id == after.task_id


def test_one_that_is_made_again_serves(queue: ReportQueue) -> None:
    task_id = ask(queue).task_id
    queue.cancel(task_id)
    queue.retry(task_id)

    assert ask(queue) == Accepted(task_id, Status.PENDING, is_earlier=True)


def race(call: Callable[[], Accepted], count: int = 8) -> list[Accepted]:
    barrier = Barrier(count)

    def run(_: int) -> Accepted:
        barrier.wait(10)
        return call()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_of_many_at_once_one_is_made(queue: ReportQueue, redis: Redis) -> None:
    for number in range(ROUNDS):
        answers = race(lambda: ask(queue, parameters={"round": number}))  # noqa: B023 - called before the next

        assert len({answer.task_id for answer in answers}) == 1
        assert [answer.is_earlier for answer in answers].count(False) == 1
        assert redis.llen(keys.QUEUED) == number + 1


def test_a_request_that_races_a_cancel_is_never_given_what_is_cancelled(queue: ReportQueue) -> None:
    for number in range(ROUNDS):
        parameters = {"round": number}
        first = ask(queue, parameters=parameters).task_id
        with ThreadPoolExecutor(2) as pool:
            cancelled = pool.submit(queue.cancel, first)
            answer = pool.submit(ask, queue, parameters=parameters).result()
            cancelled.result()

        # Whoever came before the cancel was given what was not cancelled yet.
        assert ask(queue, parameters=parameters).task_id != first
        assert answer.task_id == first or not answer.is_earlier


def test_a_request_that_is_sent_twice_makes_one_and_says_so(broker: Broker, queue: ReportQueue) -> None:
    ask(queue, parameters={"before": 1})  # the script is known from now on
    is_first = iter([True])
    proxy = LosingProxy(broker.port, is_lost=lambda request: b"EVALSHA" in request and next(is_first, False))
    losing = ReportQueue(connect(parse_address(f"redis://127.0.0.1:{proxy.port}")), timeout=HOUR)

    answer = ask(losing)

    assert not answer.is_earlier
    assert ask(queue) == replace(answer, is_earlier=True)
    assert queue.list().total == 2
    losing.connection.close()
    proxy.close()


def test_a_key_stands_for_what_its_first_request_was_given(
    queue: ReportQueue, factory: ReportFactory
) -> None:
    earlier = complete(queue, factory)
    key = IdempotencyKey.of("k", ASKED)

    first = queue.accept(ASKED, idempotency_key=key)
    queue.delete(earlier)
    again = queue.accept(ASKED, idempotency_key=key)

    assert (first.task_id, again.task_id) == (earlier, earlier)
    assert queue.list().total == 0
    other = replace(ASKED, title="Other")
    with pytest.raises(IdempotencyConflictError):
        queue.accept(other, idempotency_key=IdempotencyKey.of("k", other))


def test_what_is_remembered_of_requests_is_forgotten_in_time(queue: ReportQueue, redis: Redis) -> None:
    ask(queue)

    (name,) = redis.keys(keys.NEWEST_PREFIX + "*")
    assert 30 * 86400 < redis.ttl(name) <= 32 * 86400


def test_version_and_formats_stand_in_the_record(queue: ReportQueue) -> None:
    report = queue.find(ask(queue).task_id)
    plain = queue.find(queue.submit(Submission("Quarter", "sales")))

    assert report is not None
    assert plain is not None
    assert (report.version, report.formats) == ("v1", ("csv",))
    assert (plain.version, plain.formats) == (None, None)
