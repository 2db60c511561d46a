"""`?wait`: an answer when the report ends, over a real broker, however many wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from harness.broker import Broker
from harness.wait import wait_until
from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_worker import TYPES, BrokerAddress, Reason, ReportQueue, connect
from reports_worker.broker.keys import ENDED_CHANNEL
from reports_worker.domain.report import Failed
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory

# What a wait of 30 seconds may take when it is told of the end: far less, on a busy machine too.
SOON = 10
WAITERS = 2


class Waiting:
    """An application, requests that wait in threads of their own, and the workshop that ends reports."""

    def __init__(self, url: str) -> None:
        self.connection = connect(BrokerAddress(url))
        queue = ReportQueue(self.connection, timeout=timedelta(hours=1))
        self.services = Services(queue, TYPES, WAITERS)
        self.queue = queue
        self.factory = ReportFactory(self.connection, queue)
        self._app = Flask("host")
        self._app.config.update(SECRET_KEY="a secret for tests alone")
        self._app.register_blueprint(create_blueprint(services=self.services))
        self._threads = ThreadPoolExecutor(16)

    def get(self, task_id: str, wait: int) -> tuple[Any, float]:
        """Ask and wait; return the answer and the seconds that it took."""
        begin = time.monotonic()
        answer = self._app.test_client().get(f"/api/reports/{task_id}?wait={wait}")
        return answer, time.monotonic() - begin

    def begin(self, task_id: str, wait: int = 30) -> Future[tuple[Any, float]]:
        """Ask in a thread; return once it waits."""
        waiting = self._count()
        future = self._threads.submit(self.get, task_id, wait)
        wait_until(lambda: self._count() > waiting, what="a request that waits")
        return future

    def listen(self) -> None:
        """Wait until the one reader has subscribed."""
        wait_until(lambda: dict(self.connection.pubsub_numsub(ENDED_CHANNEL))[ENDED_CHANNEL.encode()] == 1)

    def _count(self) -> int:
        waiting = self.services.completions._waiting  # nothing else tells that a request waits
        return sum(len(events) for events in list(waiting.values()))

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        wait_until(lambda: not has_reader(), what="the end of the reader, for whom nobody waits")
        self.connection.close()


def has_reader() -> bool:
    return any(thread.name == "completion-waiter" for thread in threading.enumerate())


@pytest.fixture(scope="module")
def shared(session_broker: Broker) -> Iterator[Waiting]:
    waiting = Waiting(session_broker.url)
    yield waiting
    waiting.close()


@pytest.fixture
def waiting(shared: Waiting, redis: Redis) -> Waiting:
    """One application for all tests, over an empty broker."""
    assert redis.keys() == []
    return shared


def status_of(future: Future[tuple[Any, float]]) -> str:
    answer, seconds = future.result(60)
    assert answer.status_code == 200
    assert seconds < SOON
    assert "Retry-After" not in answer.headers
    return str(answer.get_json()["status"])


def test_it_is_answered_when_the_report_is_completed(waiting: Waiting) -> None:
    task_id = waiting.factory.start()
    future = waiting.begin(task_id)

    waiting.factory.end(task_id)

    assert status_of(future) == "completed"
    assert future.result()[0].get_json()["result"]["orders"] == 287


def test_it_is_answered_when_the_report_fails(waiting: Waiting) -> None:
    task_id = waiting.factory.start()
    future = waiting.begin(task_id)

    waiting.factory.end(task_id, Failed(Reason.ERROR, "It broke."))

    assert status_of(future) == "failed"


def test_it_is_answered_when_the_report_is_cancelled(waiting: Waiting) -> None:
    future = waiting.begin(task_id := waiting.factory.request())

    waiting.queue.cancel(task_id)

    assert status_of(future) == "failed"


def test_it_is_not_found_when_the_report_is_deleted(waiting: Waiting) -> None:
    future = waiting.begin(task_id := waiting.factory.request())

    waiting.queue.delete(task_id)

    answer, seconds = future.result(60)
    assert answer.status_code == 404
    assert seconds < SOON


def test_the_end_of_another_report_is_none_of_its_own(waiting: Waiting) -> None:
    first, second = waiting.factory.start("first"), waiting.factory.start("second")
    futures = [waiting.begin(first), waiting.begin(second)]

    waiting.factory.end(second)

    assert status_of(futures[1]) == "completed"
    assert not futures[0].done()
    waiting.factory.end(first)
    assert status_of(futures[0]) == "completed"


def test_several_who_wait_for_the_same_report_are_all_told(waiting: Waiting) -> None:
    task_id = waiting.factory.start()
    futures = [waiting.begin(task_id) for _ in range(WAITERS)]

    waiting.factory.end(task_id)

    assert [status_of(future) for future in futures] == ["completed"] * WAITERS


def test_when_the_time_is_up_it_is_answered_as_it_stands(waiting: Waiting) -> None:
    task_id = waiting.factory.start(percent=40)

    answer, seconds = waiting.get(task_id, 1)

    assert (answer.status_code, answer.get_json()["progress"]["percent"]) == (200, 40)
    assert 1 <= seconds < SOON
    assert "Retry-After" not in answer.headers


def test_what_has_ended_or_is_not_there_is_answered_at_once(waiting: Waiting) -> None:
    for task_id, status in ((waiting.factory.complete(), 200), (UNKNOWN_ID, 404), ("7", 404)):
        answer, seconds = waiting.get(task_id, 30)

        assert answer.status_code == status
        assert seconds < SOON


def test_one_more_than_may_wait_is_answered_at_once_with_a_time_to_ask_again(waiting: Waiting) -> None:
    task_id = waiting.factory.start()
    futures = [waiting.begin(task_id) for _ in range(WAITERS)]

    for _ in range(3):
        answer, seconds = waiting.get(task_id, 30)
        assert (answer.status_code, answer.get_json()["status"]) == (200, "running")
        assert int(answer.headers["Retry-After"]) > 0
        assert seconds < SOON

    assert not any(future.done() for future in futures)
    waiting.factory.end(task_id)
    assert [status_of(future) for future in futures] == ["completed"] * WAITERS


def test_a_place_is_free_again_after_every_end(waiting: Waiting) -> None:
    for _ in range(WAITERS + 1):
        task_id = waiting.factory.start()
        future = waiting.begin(task_id)
        waiting.factory.end(task_id)
        assert status_of(future) == "completed"
        deleted = waiting.begin(task_id := waiting.factory.request())
        waiting.queue.delete(task_id)
        assert deleted.result(60)[0].status_code == 404
        assert waiting.get(waiting.factory.request(), 1)[0].headers.get("Retry-After") is None


def test_one_reader_serves_all_who_wait(waiting: Waiting) -> None:
    futures = [waiting.begin(waiting.factory.start()) for _ in range(WAITERS)]
    waiting.listen()

    assert [thread.name for thread in threading.enumerate()].count("completion-waiter") == 1
    for report in waiting.queue.list().reports:
        waiting.factory.end(report.task_id)
    assert [status_of(future) for future in futures] == ["completed"] * WAITERS


def test_an_end_while_the_reader_is_cut_off_is_told_when_it_is_back(waiting: Waiting, redis: Redis) -> None:
    task_id = waiting.factory.start()
    future = waiting.begin(task_id)
    waiting.listen()

    with redis.pipeline() as at_once:
        at_once.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
        at_once.hset(f"rq:job:{task_id}", mapping={"status": "finished", "percent": "100"})
        at_once.publish(ENDED_CHANNEL, task_id)
        at_once.execute()

    assert status_of(future) == "completed"


def test_what_is_no_id_on_the_channel_does_no_harm(waiting: Waiting, redis: Redis) -> None:
    task_id = waiting.factory.start()
    future = waiting.begin(task_id)
    waiting.listen()

    redis.publish(ENDED_CHANNEL, b"\xff\xfe")
    redis.publish(ENDED_CHANNEL, "")
    waiting.factory.end(task_id)

    assert status_of(future) == "completed"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Broker, Waiting]]:
    """A broker that may die."""
    broker = Broker(tmp_path / "broker").start()
    waiting = Waiting(broker.url)
    yield broker, waiting
    waiting.close()
    broker.stop()


def test_while_the_broker_is_away_a_wait_ends_in_time_and_says_so(own: tuple[Broker, Waiting]) -> None:
    broker, waiting = own
    futures = [waiting.begin(waiting.factory.start(), 3) for _ in range(WAITERS)]

    broker.kill()

    for future in futures:
        answer, seconds = future.result(60)
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert int(answer.headers["Retry-After"]) > 0
        assert seconds < 3 + SOON


def test_after_the_broker_was_away_who_waits_is_still_told(own: tuple[Broker, Waiting]) -> None:
    broker, waiting = own
    task_id = waiting.factory.start()
    future = waiting.begin(task_id)
    waiting.listen()

    broker.kill()
    broker.start()
    waiting.factory.end(task_id)

    answer, seconds = future.result(60)
    assert (answer.status_code, answer.get_json()["status"]) == (200, "completed")
    assert seconds < 30
