"""Reports that exceed their limits: each ends with a reason, and its worker continues."""

from __future__ import annotations

from harness.worker_process import COMMANDS, Reports, StartWorker
from reports_worker import Status, Submission

COMMAND = (str(COMMANDS / "rq"), "worker", "-c", "tests.integration.memory_hogs")


SENTENCES = {
    "memory": "of memory, and 150.0 MB are allowed (REPORTS_MEMORY). Request a smaller report",
    "room": "as JSON, and 65.5 kB are allowed: the result is for figures, not for rows.",
}
REASONS = {"memory": "memory", "room": "too_large"}


def test_a_report_that_takes_too_much_fails_at_once_with_the_numbers(
    worker: StartWorker, reports: Reports
) -> None:
    process = worker(command=COMMAND, REPORTS_MEMORY="150MB")
    ids = {name: reports.submit(Submission("Quarter", name)) for name in REASONS}

    ended = {name: reports.wait_for_end(task_id) for name, task_id in ids.items()}

    assert {report.status for report in ended.values()} == {Status.FAILED}
    assert {name: report.reason for name, report in ended.items()} == REASONS
    for name, report in ended.items():
        assert SENTENCES[name] in (report.error or "")
        assert reports.count_executions(report.task_id) == 1
    assert not process.has_ended
