"""Types of report that raise what no `except Exception` catches: each fails its report, with the cause."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reports_worker import ReportQueue, Settings, Status, Submission
from reports_worker.artifacts.address import FolderAddress
from reports_worker.execution.limits import Limits
from reports_worker.execution.runner import ReportRunner
from reports_worker.execution.shared_state import SharedState
from reports_worker.queue.leases import Execution, Leases
from reports_worker.settings.data import DataSettings
from tests.integration.sample_types import write_python
from tests.raising_types import RAISING


@pytest.mark.parametrize("name", RAISING)
def test_any_exception_of_a_type_fails_its_report_with_the_cause(
    queue: ReportQueue, leases: Leases, tmp_path: Path, name: str
) -> None:
    write_python(tmp_path, name, RAISING[name][0])
    data = DataSettings(report_folders=(tmp_path,), artifacts=FolderAddress(tmp_path / "artifacts"))
    execution = Execution(queue.submit(Submission("Quarter", name)), "execution")
    assert leases.start(execution, worker="worker", expires=timedelta(hours=1))
    report = queue.find(execution.task_id)
    assert report is not None

    limits = Limits(timedelta(seconds=60), memory=10**12)
    ReportRunner(report, execution, leases, Settings(data=data), limits, SharedState()).run()

    ended = queue.find(execution.task_id)
    assert ended is not None
    assert (ended.status, ended.reason) == (Status.FAILED, "error")
    assert ended.error == f"The report failed: {RAISING[name][1]}"
