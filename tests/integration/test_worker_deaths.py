"""Workers and job processes that die or are stopped: no report is lost, and each ends once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import psutil
import pytest

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import Reports, StartWorker, StartWorkerOf, WorkerProcess, is_gone
from reports_worker import Report, Status, Submission

SALES = Submission("Quarter", "sales")
# 15 s are promised; the rest is for a busy machine.
RECOVERY = timedelta(seconds=20)


def has_begun(reports: Reports, task_id: str, execution: int) -> bool:
    """Return whether this execution has written progress, so that its process runs it."""
    begun = reports.get(task_id).progress.stage != ""
    return begun and reports.count_executions(task_id) == execution


def test_a_report_whose_job_process_was_killed_is_run_again(worker: StartWorker, reports: Reports) -> None:
    process = worker(REPORTS_SIMULATED_SECONDS="1")
    task_id = reports.submit(SALES)
    reports.wait_for(task_id, Status.RUNNING)

    process.wait_for_job_process().kill()
    # Earlier than its lease would expire.
    wait_until(partial(has_begun, reports, task_id, 2), seconds=8, what="a second start")
    report = reports.wait_for_end(task_id)

    assert report.status is Status.COMPLETED
    assert reports.count_executions(task_id) == 2
    assert not process.has_ended


@dataclass(frozen=True)
class Aftermath:
    """The ends of five reports.

    The worker of one was killed, that of another held still with what it made, that of the third held still
    while its making went on, the fourth was taken and never started, and the fifth fell out of the queue.
    """

    reports: Reports
    killed: str
    stopped: str
    orphaned: str
    taken: str
    lost: str
    since: datetime
    stopped_worker: WorkerProcess
    stopped_making: psutil.Process
    orphaned_making: psutil.Process

    def get(self, task_id: str) -> Report:
        return self.reports.get(task_id)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[Aftermath]:
    """Run all cases together, since each takes as long as a lease; another worker then runs all reports."""
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    reports = Reports(broker.url)
    doomed = start_worker(broker.url, REPORTS_SIMULATED_SECONDS="300")
    killed = reports.submit(SALES)
    reports.wait_for(killed, Status.RUNNING)
    killed_making = doomed.wait_for_job_process()
    held = start_worker(broker.url, REPORTS_SIMULATED_SECONDS="5")
    stopped = reports.submit(SALES)
    reports.wait_for(stopped, Status.RUNNING)
    making = held.wait_for_job_process()
    frozen = start_worker(broker.url, REPORTS_SIMULATED_SECONDS="300")
    orphaned = reports.submit(SALES)
    reports.wait_for(orphaned, Status.RUNNING)
    orphaned_making = frozen.wait_for_job_process()
    taken = reports.submit(SALES)
    reports.connection.lmove("rq:queue:reports", "rq:queue:reports:intermediate", "LEFT", "RIGHT")
    lost = reports.submit(SALES)
    reports.connection.delete("rq:queue:reports")
    # The state that RQ's own worker leaves when it dies during its cleanup.
    reports.connection.set("rq:clean_registries:reports", "1", ex=899)

    since = datetime.now(UTC)
    making.suspend()
    held.send(signal.SIGSTOP)
    frozen.send(signal.SIGSTOP)
    doomed.send(signal.SIGKILL)
    wait_until(lambda: is_gone(killed_making), what="the end of a making whose worker was killed")
    start_worker(broker.url)
    wait_until(lambda: is_gone(orphaned_making), what="the end of a making whose worker stands still")
    for task_id in (killed, stopped, orphaned, taken, lost):
        reports.wait_for_end(task_id, seconds=40)
    yield Aftermath(reports, killed, stopped, orphaned, taken, lost, since, held, making, orphaned_making)
    reports.connection.close()
    broker.stop()


def test_a_report_whose_worker_was_killed_is_run_by_another(aftermath: Aftermath) -> None:
    report = aftermath.get(aftermath.killed)

    assert report.status is Status.COMPLETED
    assert aftermath.reports.count_executions(report.task_id) == 2
    assert report.started_at is not None
    assert report.started_at - aftermath.since < RECOVERY


def test_a_report_that_was_taken_and_never_started_is_run(aftermath: Aftermath) -> None:
    report = aftermath.get(aftermath.taken)

    assert report.status is Status.COMPLETED
    assert aftermath.reports.count_executions(report.task_id) == 1
    assert report.started_at is not None
    assert report.started_at - aftermath.since < RECOVERY


def test_a_report_that_is_missing_in_the_queue_is_run(aftermath: Aftermath) -> None:
    report = aftermath.get(aftermath.lost)

    assert report.status is Status.COMPLETED
    assert aftermath.reports.count_executions(report.task_id) == 1
    assert report.started_at is not None
    assert report.started_at - aftermath.since < timedelta(seconds=30)


def test_an_execution_whose_worker_is_stopped_ends_before_another_begins(aftermath: Aftermath) -> None:
    report = aftermath.get(aftermath.orphaned)

    assert is_gone(aftermath.orphaned_making)
    assert report.status is Status.COMPLETED
    assert aftermath.reports.count_executions(report.task_id) == 2


def test_a_worker_that_was_stopped_past_its_lease_publishes_nothing(aftermath: Aftermath) -> None:
    before = aftermath.get(aftermath.stopped)
    assert before.status is Status.COMPLETED
    assert before.result is not None
    assert before.result["processing_time"] == 0

    aftermath.stopped_making.resume()
    wait_until(lambda: is_gone(aftermath.stopped_making), what="the end of the late job process")
    assert aftermath.get(aftermath.stopped) == before

    aftermath.stopped_worker.send(signal.SIGCONT)
    aftermath.stopped_worker.wait_until_ready()
    assert aftermath.get(aftermath.stopped) == before
    assert aftermath.reports.count_executions(before.task_id) == 2
