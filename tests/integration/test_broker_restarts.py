"""A broker that is killed in the middle of work and started again on its append-only file."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import Reports, StartWorkerOf
from reports_worker import BrokerUnavailableError, Submission

SALES = Submission("Quarter", "sales")


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker").start()
    yield broker
    broker.stop()


def test_what_was_acknowledged_before_a_kill_is_there_after_it(own_broker: Broker) -> None:
    queue, acknowledged = Reports(own_broker.url), list[str]()

    def submit_until_it_fails() -> None:
        try:
            while True:
                acknowledged.append(queue.submit(SALES))
        except BrokerUnavailableError:
            pass

    people = [threading.Thread(target=submit_until_it_fails) for _ in range(4)]
    for person in people:
        person.start()
    wait_until(lambda: len(acknowledged) > 200, what="200 reports that are acknowledged")
    own_broker.kill()
    for person in people:
        person.join()

    own_broker.start()

    assert [task_id for task_id in acknowledged if queue.find(task_id) is None] == []
    assert queue.connection.llen("rq:queue:reports") >= len(acknowledged)
    queue.connection.close()


def test_a_worker_whose_broker_died_ends_when_it_is_asked_to(
    own_broker: Broker, start_worker: StartWorkerOf
) -> None:
    process = start_worker(own_broker.url).wait_until_ready()
    own_broker.kill()
    wait_until(lambda: "could not connect to Redis instance" in process.output, what="a worker that waits")

    process.send(signal.SIGTERM)

    assert process.wait(seconds=10) == 0
    assert "Traceback" not in process.output
    assert "cannot deregister this worker from the broker" in process.output
