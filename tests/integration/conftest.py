"""Real worker processes for tests, each of which ends with its test, the page of a browser, and a reconciler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from redis import Redis

from harness.broker import Broker
from harness.worker_process import RQ_COMMAND, Reports, StartWorker, StartWorkerOf, WorkerProcess
from reports_worker.worker.reconciler import Reconciler
from tests.integration.browsing import browser, page, window

__all__ = ["browser", "page", "window"]


@pytest.fixture(scope="module")
def start_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartWorkerOf]:
    """Start workers that live as long as the tests of a module, at most."""
    started: list[WorkerProcess] = []
    folder = tmp_path_factory.mktemp("workers")

    def start(url: str, *, command: Sequence[str] = RQ_COMMAND, **environ: str) -> WorkerProcess:
        basics = {"PATH": "/usr/bin:/bin", "ConnectionStrings__broker": url, "REPORTS_SIMULATED_SECONDS": "0"}
        worker = WorkerProcess(command, url, {**basics, **environ}, folder / f"{len(started)}.log")
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.end()


@pytest.fixture
def worker(broker: Broker, start_worker: StartWorkerOf) -> Iterator[StartWorker]:
    """Start workers of the test's own broker; they end with the test."""
    started: list[WorkerProcess] = []

    def start(*, command: Sequence[str] = RQ_COMMAND, **environ: str) -> WorkerProcess:
        started.append(start_worker(broker.url, command=command, **environ))
        return started[-1]

    yield start
    for process in started:
        process.end()


@pytest.fixture
def broker_url(broker: Broker) -> str:
    return broker.url


@pytest.fixture
def reports(broker: Broker) -> Iterator[Reports]:
    queue = Reports(broker.url)
    yield queue
    queue.connection.close()


@pytest.fixture
def reconciler(redis: Redis) -> Reconciler:
    return Reconciler(redis, retention=timedelta(days=30))
