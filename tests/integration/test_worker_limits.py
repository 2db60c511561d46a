"""Reports that exceed their limits: each ends with a reason, and its worker continues."""

from __future__ import annotations

import pytest

from harness.worker_process import COMMANDS, Reports, StartWorker
from reports_worker import Status, Submission

COMMAND = (str(COMMANDS / "rq"), "worker", "-c", "tests.integration.memory_hogs")


@pytest.mark.parametrize(
    ("name", "reason", "sentence"),
    [
        (
            "memory",
            "memory",
            "of memory, and 150.0 MB are allowed (REPORTS_MEMORY). Request a smaller report",
        ),
        ("room", "too_large", "as JSON, and 65.5 kB are allowed: the result is for figures, not for rows."),
    ],
)
def test_a_report_that_takes_too_much_fails_at_once_with_the_numbers(
    worker: StartWorker, reports: Reports, name: str, reason: str, sentence: str
) -> None:
    process = worker(command=COMMAND, REPORTS_MEMORY="150MB")
    task_id = reports.submit(Submission("Quarter", name))

    report = reports.wait_for_end(task_id)

    assert report.status is Status.FAILED
    assert report.reason == reason
    assert report.error is not None
    assert sentence in report.error
    assert reports.count_executions(task_id) == 1
    assert not process.has_ended
