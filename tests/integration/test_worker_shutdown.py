"""Graceful shutdown of a worker: its running report completes, or is requeued for another worker."""

from __future__ import annotations

import signal

import pytest

from harness.wait import wait_until
from harness.worker_process import Reports, StartWorker, is_gone
from reports_worker import Status, Submission

SALES = Submission("Quarter", "sales")


# An idle worker ends on a signal in `test_poison_entries`, too.
@pytest.mark.wide
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_stops_at_once(worker: StartWorker, number: signal.Signals) -> None:
    process = worker().wait_until_ready()

    process.send(number)

    assert process.wait() == 0
    assert "Traceback" not in process.output


def test_a_report_that_does_not_complete_in_the_grace_period_is_requeued_uncounted(
    worker: StartWorker, reports: Reports
) -> None:
    process = worker(REPORTS_SIMULATED_SECONDS="300", REPORTS_GRACE="1s")
    task_id = reports.submit(SALES)
    reports.wait_for(task_id, Status.RUNNING)
    making = process.wait_for_job_process()

    process.send(signal.SIGTERM)

    assert process.wait() == 0
    assert is_gone(making)
    assert reports.get(task_id).status is Status.PENDING
    assert reports.count_executions(task_id) == 0
    worker()
    assert reports.wait_for_end(task_id).status is Status.COMPLETED
    assert reports.count_executions(task_id) == 1


def test_a_stopping_worker_completes_its_report_though_the_signal_arrives_twice_at_once(
    worker: StartWorker, reports: Reports
) -> None:
    process = worker(REPORTS_SIMULATED_SECONDS="2")
    task_id = reports.submit(SALES)
    reports.wait_for(task_id, Status.RUNNING)
    waiting = reports.submit(SALES)

    process.send(signal.SIGTERM)
    wait_until(lambda: "warm shut down requested" in process.output, what="the first signal")
    process.send(signal.SIGINT)

    assert process.wait() == 0
    assert reports.get(task_id).status is Status.COMPLETED
    assert reports.get(waiting).status is Status.PENDING
