"""Deliveries in Redis: when they are due, who has them, and what is written of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from reports_worker import Callback, CallbackStatus, IdempotencyKey, ReportQueue, Submission
from reports_worker.broker import keys
from reports_worker.domain.report import Completed, Failed, Outcome, Reason
from reports_worker.queue.callback_outbox import Attempt, Deliveries, decide
from reports_worker.queue.leases import MOST_EXECUTIONS, Execution, Leases

PENDING, DELIVERED, FAILED = CallbackStatus
URL = "https://hooks.example.com/x"
DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 30))
NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
REFUSED = Attempt(error="It cannot be reached.")


@pytest.fixture
def deliveries(connection: Redis) -> Deliveries:
    return Deliveries(connection, retention=timedelta(days=30), delays=DELAYS)


@pytest.fixture
def asked(queue: ReportQueue) -> str:
    """A report with a callback, that waits."""
    return queue.submit(Submission("Quarter", "sales", callback_url=URL))


def end(leases: Leases, task_id: str, outcome: Outcome | None = None) -> None:
    execution = Execution(task_id, "x")
    assert leases.start(execution, worker="w", expires=HOUR)
    assert leases.publish(execution, outcome or Completed({"total": 7}))


def find_callback(queue: ReportQueue, task_id: str) -> Callback:
    report = queue.find(task_id)
    assert report is not None
    assert report.callback is not None
    return report.callback


def make_due(connection: Redis, task_id: str) -> None:
    """What time does."""
    assert connection.zadd(keys.DELIVERIES, {task_id: 1}, xx=True, ch=True) == 1


@pytest.mark.parametrize(
    ("attempt", "attempts", "decided"),
    [
        (Attempt(200), 1, (DELIVERED, timedelta())),
        (Attempt(204), 3, (DELIVERED, timedelta())),
        (Attempt(299), 3, (DELIVERED, timedelta())),
        (Attempt(410), 1, (FAILED, timedelta())),
        (Attempt(307), 1, (PENDING, DELAYS[0])),
        (Attempt(400), 1, (PENDING, DELAYS[0])),
        (Attempt(500), 2, (PENDING, DELAYS[1])),
        (REFUSED, 2, (PENDING, DELAYS[1])),
        (REFUSED, -6, (PENDING, DELAYS[0])),
        (REFUSED, 3, (FAILED, timedelta())),
        (Attempt(500), 9, (FAILED, timedelta())),
    ],
)
def test_an_attempt_decides_what_comes_next(
    attempt: Attempt, attempts: int, decided: tuple[CallbackStatus, timedelta]
) -> None:
    assert decide(attempt, attempts=attempts, delays=DELAYS) == decided


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://hooks.example.com", "hooks.example.com"),
        ("https://HOOKS.example.com:8443/x", "hooks.example.com"),
        ("http://hooks.example.com?a=b:c", "hooks.example.com"),
        ("http://[2001:DB8::1]:80/", "[2001:db8::1]"),
        ("no URL at all", ""),
    ],
)
def test_deliveries_to_busy_hosts_are_passed_over(
    queue: ReportQueue, leases: Leases, deliveries: Deliveries, url: str, host: str
) -> None:
    connection = queue.connection
    first, second = (
        queue.submit(Submission("Quarter", "sales", callback_url=one)) for one in (url, URL + "y")
    )
    end(leases, first)
    end(leases, second)
    for number, task_id in enumerate((first, second)):
        connection.zadd(keys.DELIVERIES, {task_id: number})

    other = deliveries.claim(busy={host, "elsewhere"})
    chosen = deliveries.claim(busy={"elsewhere"})

    assert chosen is not None
    assert (chosen.report.task_id, chosen.host) == (first, host)
    assert (other and other.report.task_id) == (None if host == "hooks.example.com" else second)


def test_a_report_without_a_callback_has_nothing_delivered(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    end(leases, task_id)

    report = queue.find(task_id)
    assert report is not None
    assert report.callback is None
    assert connection.exists(keys.DELIVERIES) == 0
    assert connection.hexists(keys.job(task_id), "endings") is False


def test_nothing_is_due_before_the_report_ends(
    queue: ReportQueue, deliveries: Deliveries, asked: str
) -> None:
    assert deliveries.claim() is None
    assert find_callback(queue, asked) == Callback(URL)


def test_a_report_that_ends_is_due_at_once_and_claimed_for_a_minute(
    connection: Redis, leases: Leases, deliveries: Deliveries, asked: str
) -> None:
    end(leases, asked)

    delivery = deliveries.claim()

    assert delivery is not None
    assert (delivery.report.task_id, delivery.url, delivery.message_id) == (asked, URL, f"{asked}:1")
    assert delivery.report.result == {"title": "Quarter", "type": "sales", "total": 7}
    assert deliveries.claim() is None
    due = connection.zscore(keys.DELIVERIES, asked)
    assert due == pytest.approx(time.time() + 60, abs=10)


def test_a_claim_that_came_to_nothing_is_anothers(
    connection: Redis, leases: Leases, deliveries: Deliveries, asked: str
) -> None:
    end(leases, asked)
    first = deliveries.claim()

    make_due(connection, asked)

    assert first is not None
    assert deliveries.claim() == first


def test_a_failed_a_cancelled_and_an_abandoned_report_are_told_of(
    connection: Redis, queue: ReportQueue, leases: Leases, deliveries: Deliveries
) -> None:
    ids = [queue.submit(Submission(f"{n}", "sales", callback_url=URL)) for n in range(4)]
    end(leases, ids[0], Failed(Reason.ERROR, "It broke."))
    queue.cancel(ids[1])
    leases.start(Execution(ids[2], "x"), worker="w", expires=HOUR)
    queue.cancel(ids[2])
    leases.publish(Execution(ids[2], "x"), Completed({}))
    for number in range(MOST_EXECUTIONS):
        leases.start(Execution(ids[3], str(number)), worker="w", expires=HOUR)
        connection.delete(keys.lease(ids[3]))
        list(leases.sweep())

    found = [deliveries.claim() for _ in ids]

    told = {delivery.report.task_id: delivery.report.reason for delivery in found if delivery}
    assert told == dict(zip(ids, ["error", "cancelled", "cancelled", "abandoned"], strict=True))


def test_what_came_of_an_attempt_is_written(
    connection: Redis, queue: ReportQueue, leases: Leases, deliveries: Deliveries, asked: str
) -> None:
    end(leases, asked)
    first = deliveries.claim()
    assert first is not None
    assert deliveries.record(first, Attempt(500, "It answered 500."), now=NOW) is PENDING
    assert find_callback(queue, asked) == Callback(URL, PENDING, 1, 500, "It answered 500.")
    assert connection.zscore(keys.DELIVERIES, asked) == pytest.approx(time.time() + 5, abs=4)

    make_due(connection, asked)
    second = deliveries.claim()
    assert second is not None
    assert second.message_id == first.message_id
    assert deliveries.record(second, REFUSED, now=NOW) is PENDING
    assert find_callback(queue, asked) == Callback(URL, PENDING, 2, None, REFUSED.error)

    make_due(connection, asked)
    third = deliveries.claim()
    assert third is not None
    assert deliveries.record(third, Attempt(200), now=NOW) is DELIVERED
    assert find_callback(queue, asked) == Callback(URL, DELIVERED, 3, 200, None, NOW)
    assert connection.exists(keys.DELIVERIES) == 0


def test_after_its_last_attempt_a_delivery_has_failed(
    connection: Redis, queue: ReportQueue, leases: Leases, deliveries: Deliveries, asked: str
) -> None:
    end(leases, asked)
    for _ in range(len(DELAYS) + 1):
        make_due(connection, asked)
        delivery = deliveries.claim()
        assert delivery is not None
        deliveries.record(delivery, REFUSED, now=NOW)

    assert find_callback(queue, asked) == Callback(URL, FAILED, 3, None, REFUSED.error)
    assert connection.exists(keys.DELIVERIES) == 0


def test_a_deleted_report_is_not_told_of_and_not_brought_back(
    connection: Redis, queue: ReportQueue, leases: Leases, deliveries: Deliveries, asked: str
) -> None:
    end(leases, asked)
    delivery = deliveries.claim()
    assert delivery is not None

    queue.delete(asked)

    assert connection.exists(keys.DELIVERIES) == 0
    assert deliveries.record(delivery, Attempt(500), now=NOW) is None
    assert deliveries.claim() is None
    assert connection.exists(keys.job(asked), keys.DELIVERIES) == 0


def test_an_entry_whose_report_redis_took_away_is_dropped(
    connection: Redis, leases: Leases, deliveries: Deliveries, asked: str
) -> None:
    end(leases, asked)
    connection.delete(keys.job(asked))

    assert deliveries.claim() is None
    assert connection.exists(keys.DELIVERIES, keys.job(asked)) == 0


def test_two_who_made_the_same_attempt_write_it_once(
    connection: Redis, queue: ReportQueue, leases: Leases, deliveries: Deliveries, asked: str
) -> None:
    end(leases, asked)
    slow = deliveries.claim()
    make_due(connection, asked)
    quick = deliveries.claim()
    assert slow is not None
    assert quick is not None

    assert deliveries.record(quick, Attempt(200), now=NOW) is DELIVERED
    assert deliveries.record(slow, Attempt(500), now=NOW) is None

    assert find_callback(queue, asked).status is DELIVERED
    assert connection.exists(keys.DELIVERIES) == 0


def test_a_report_that_is_made_again_is_told_of_again_under_another_id(
    connection: Redis, queue: ReportQueue, leases: Leases, deliveries: Deliveries, asked: str
) -> None:
    end(leases, asked, Failed(Reason.ERROR, "It broke."))
    old = deliveries.claim()
    assert old is not None
    queue.retry(asked)
    assert connection.exists(keys.DELIVERIES) == 0
    assert find_callback(queue, asked) == Callback(URL)

    assert deliveries.record(old, Attempt(200), now=NOW) is None
    end(leases, asked)
    assert deliveries.record(old, Attempt(200), now=NOW) is None

    new = deliveries.claim()
    assert new is not None
    assert new.message_id == f"{asked}:2"
    assert new.attempts == 0


def test_another_callback_is_another_request_to_an_idempotency_key() -> None:
    plain, first, second = (
        IdempotencyKey.of("k", Submission("T", "sales", callback_url=url)) for url in (None, URL, URL + "y")
    )

    assert len({plain.digest, first.digest, second.digest}) == 3
    assert plain.name == first.name
