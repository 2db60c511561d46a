"""Workers that start while their broker is down, hangs or refuses writes: they wait, and log the reason."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.ports import free_port
from harness.wait import wait_until
from harness.worker_process import RQ_COMMAND, Reports, StartWorkerOf
from reports_worker import Status, Submission

SALES = Submission("Quarter", "sales")
WAITS = "cannot be used yet, so this worker waits: "


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    yield broker
    broker.stop()


def can_make_a_report(broker: Broker) -> bool:
    queue = Reports(broker.url)
    try:
        return queue.wait_for_end(queue.submit(SALES)).status is Status.COMPLETED
    finally:
        queue.connection.close()


def test_a_worker_waits_for_a_broker_that_has_not_started(
    own_broker: Broker, start_worker: StartWorkerOf
) -> None:
    process = start_worker(own_broker.url)
    wait_until(lambda: process.output.count(WAITS) == 2, what="a worker that says twice that it waits")
    lines = process.output.splitlines()

    own_broker.start()

    assert len(lines) == 2
    assert all(f"the broker at {own_broker.url} {WAITS}" in line for line in lines)
    assert can_make_a_report(own_broker)


def test_a_worker_waits_for_a_broker_that_hangs_and_then_has_no_memory(
    own_broker: Broker, start_worker: StartWorkerOf
) -> None:
    with own_broker.start().client() as client:
        client.config_set("maxmemory", 1)
        os.kill(own_broker.pid, signal.SIGSTOP)
        process = start_worker(own_broker.url)
        wait_until(lambda: f"{WAITS}Timeout" in process.output, what="a worker that says that it waits")

        os.kill(own_broker.pid, signal.SIGCONT)
        wait_until(lambda: f"{WAITS}command not allowed" in process.output, what="another reason to wait")
        client.config_set("maxmemory", 0)

    assert can_make_a_report(own_broker)
    assert "Traceback" not in process.output


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.wide)])
def test_a_worker_that_waits_for_its_broker_ends_on_a_signal(
    number: signal.Signals, start_worker: StartWorkerOf
) -> None:
    process = start_worker(f"redis://:hunter2@127.0.0.1:{free_port()}", command=RQ_COMMAND)
    wait_until(lambda: WAITS in process.output, what="a worker that says that it waits")

    process.send(number)

    process.wait(seconds=5)
    assert "Traceback" not in process.output
    assert "hunter2" not in process.output
