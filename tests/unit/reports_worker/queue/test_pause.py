"""The pause of the queue as it stands in Redis, and what it keeps from starting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from harness.wait import wait_until
from reports_worker import Pause, ReportQueue, Status, Submission
from reports_worker.broker import keys
from reports_worker.queue.leases import Execution, Leases
from reports_worker.queue.pause import read_pause, write_pause

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_queue_is_not_paused_until_somebody_pauses_it(queue: ReportQueue) -> None:
    assert queue.find_pause() is None
    assert not queue.resume()


def test_a_pause_says_since_and_until_when(queue: ReportQueue, connection: Redis) -> None:
    made = queue.pause(timedelta(minutes=10))

    assert queue.find_pause() == made
    assert made.since is not None
    assert made.until == made.since + timedelta(minutes=10)
    assert 590_000 < connection.pttl(keys.SUSPENDED) <= 600_000


def test_a_pause_without_an_end_lasts_until_it_is_resumed(queue: ReportQueue, connection: Redis) -> None:
    made = queue.pause()

    assert (made.until, connection.pttl(keys.SUSPENDED)) == (None, -1)
    assert queue.resume()
    assert queue.find_pause() is None


def test_a_pause_with_an_end_is_over_then(queue: ReportQueue) -> None:
    queue.pause(timedelta(milliseconds=50))

    wait_until(lambda: queue.find_pause() is None, what="the end of the pause")


def test_a_second_pause_says_anew_until_when_and_not_since_when(
    queue: ReportQueue, connection: Redis
) -> None:
    connection.set(keys.SUSPENDED, write_pause(Pause(NINE)))

    made = queue.pause(timedelta(minutes=10))

    assert made.since == NINE
    assert made.until is not None
    assert queue.pause() == Pause(NINE)
    assert connection.pttl(keys.SUSPENDED) == -1


@pytest.mark.parametrize("pause", [Pause(NINE), Pause(NINE, NINE + timedelta(hours=1))])
def test_what_is_written_is_read(pause: Pause) -> None:
    assert read_pause(write_pause(pause).encode()) == pause


@pytest.mark.parametrize(
    "value", [b"1", b"", b"\xff", b"since yesterday", b"since  until ", b"since 1 until 2"]
)
def test_whatever_else_stands_there_pauses_too(value: bytes) -> None:
    assert read_pause(value) == Pause()


def test_a_report_that_was_taken_when_the_queue_was_paused_waits_on_unspent(
    connection: Redis, queue: ReportQueue, leases: Leases
) -> None:
    ids = [queue.submit(Submission("Quarter", "sales")) for _ in range(3)]
    connection.lmove(keys.QUEUED, keys.INTERMEDIATE, "LEFT", "RIGHT")
    queue.pause()

    started = leases.start(Execution(ids[0], "x"), worker="w", expires=timedelta(hours=1))

    report = queue.find(ids[0])
    assert not started
    assert report is not None
    assert (report.status, report.position, report.pause) == (Status.PENDING, 0, queue.find_pause())
    assert connection.lrange(keys.QUEUED, 0, -1) == [task_id.encode() for task_id in ids]
    assert connection.lrange(keys.INTERMEDIATE, 0, -1) == []
    assert not connection.exists(keys.lease(ids[0]))
    assert connection.hget(keys.job(ids[0]), "executions") is None


def test_a_report_that_runs_is_not_told_of_the_pause(
    queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    assert leases.start(Execution(task_id, "x"), worker="w", expires=timedelta(hours=1))
    queue.pause()

    report = queue.find(task_id)

    assert report is not None
    assert (report.status, report.pause) == (Status.RUNNING, None)
    assert queue.list().pause == queue.find_pause() is not None
