"""The execution of one report: every way in which it can end."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from redis import Redis

from reports_worker import (
    CATALOG,
    Progress,
    Report,
    ReportContext,
    ReportQueue,
    ReportType,
    Settings,
    Status,
    Submission,
)
from reports_worker.artifacts.address import FolderAddress
from reports_worker.broker import keys
from reports_worker.domain.report import Outcome
from reports_worker.execution.failures import LARGEST_SUMMARY, LONGEST_ERROR
from reports_worker.execution.limits import Limits
from reports_worker.execution.runner import ReportRunner
from reports_worker.execution.shared_state import SharedState
from reports_worker.lib.units import SecondsRange
from reports_worker.parameters import DateRange
from reports_worker.queue.leases import Execution, Leases
from reports_worker.settings.data import DataSettings
from tests.every_kind import EVERY_KIND

Make = Callable[[ReportContext], Any]
RunReport = Callable[..., Report]
AT_ONCE = Settings(simulated_seconds=SecondsRange(0, 0))
LIMITS = Limits(timedelta(seconds=60), memory=10**12)


@pytest.fixture
def run(connection: Redis, queue: ReportQueue, leases: Leases) -> RunReport:
    """Run a report of type `custom` with the given function, or a report of a type of the catalog."""

    def run_report(
        make: Make | None, name: str = "custom", parameters: Mapping[str, Any] = MappingProxyType({})
    ) -> Report:
        task_id = queue.submit(Submission("Quarter", name, dict(parameters)))
        connection.delete(keys.QUEUED)
        execution = Execution(task_id, "x")
        assert leases.start(execution, worker="w", expires=timedelta(hours=1))
        catalog = None if make is None else {name: ReportType(name, "Custom", "Made in a test.", make)}
        report = queue.find(task_id)
        assert report is not None
        ReportRunner(report, execution, leases, AT_ONCE, LIMITS, SharedState(), catalog).run()
        ended = queue.find(task_id)
        assert ended is not None
        return ended

    return run_report


def raises(error: BaseException) -> Make:
    def make(_: ReportContext) -> Mapping[str, Any]:
        raise error

    return make


def test_what_the_type_returns_is_the_result(run: RunReport) -> None:
    report = run(lambda context: {"for": context.title, "count": 7})

    assert report.status is Status.COMPLETED
    assert report.result == {"title": "Quarter", "type": "custom", "for": "Quarter", "count": 7}
    assert report.progress == Progress(100, "")


@pytest.mark.parametrize("name", CATALOG)
def test_every_type_of_the_catalog_completes(run: RunReport, name: str) -> None:
    report = run(None, name)

    assert report.status is Status.COMPLETED
    assert report.result is not None
    assert report.result["processing_time"] == 0


def test_a_type_that_raises_fails_at_once_and_is_not_run_again(run: RunReport, connection: Redis) -> None:
    report = run(raises(ZeroDivisionError("division by zero")))

    assert report.status is Status.FAILED
    assert report.reason == "error"
    assert report.error == "The report failed: ZeroDivisionError: division by zero"
    assert report.result is None
    assert connection.llen(keys.QUEUED) == 0
    assert connection.hget(keys.job(report.task_id), "executions") == b"1"


def test_no_stack_trace_leaves_the_log(
    run: RunReport, connection: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        report = run(raises(ValueError("no such column")))

    assert "Traceback" in caplog.text
    stored = str(connection.hgetall(keys.job(report.task_id)))
    assert "Traceback" not in stored
    assert "test_runner.py" not in stored


def test_a_long_error_is_cut(run: RunReport) -> None:
    report = run(raises(ValueError("x" * 100_000)))

    assert report.error is not None
    assert len(report.error) <= LONGEST_ERROR + 100


@pytest.mark.parametrize(
    "returned",
    [{"items": {1, 2}}, {"raw": b"x"}, 7, None, [1]],
    ids=["set", "bytes", "number", "none", "list"],
)
def test_a_result_that_is_no_json_object_fails_the_report(run: RunReport, returned: Any) -> None:
    report = run(lambda _: returned)

    assert report.status is Status.FAILED
    assert report.reason == "error"
    assert report.error is not None
    assert report.error.startswith("The report")


def test_nan_in_a_result_is_null(run: RunReport) -> None:
    report = run(lambda _: {"average": float("nan"), "parts": [float("inf"), {"low": -float("inf")}]})

    assert report.status is Status.COMPLETED
    assert report.result is not None
    assert (report.result["average"], report.result["parts"]) == (None, [None, {"low": None}])


def test_a_result_that_is_too_large_fails_the_report_with_the_numbers(run: RunReport) -> None:
    report = run(lambda _: {"rows": "x" * LARGEST_SUMMARY})

    assert report.reason == "too_large"
    assert report.error is not None
    assert report.error.startswith("The report's result takes 65.5 kB as JSON, and 65.5 kB are allowed")


def test_an_error_that_cannot_be_printed_is_named(run: RunReport) -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert run(raises(BrokenError())).error == "The report failed: BrokenError"


@pytest.mark.parametrize(
    ("percent", "stage", "written"),
    [(-5, "x", (0, "x")), (250, "x", (100, "x")), (33.9, "x", (33, "x")), (1, "y" * 9999, (1, "y" * 200))],
)
def test_progress_out_of_range_is_cut(
    run: RunReport, queue: ReportQueue, percent: Any, stage: str, written: tuple[int, str]
) -> None:
    seen = []

    def make(context: ReportContext) -> Mapping[str, Any]:
        context.progress(percent, stage)
        report = queue.find(context.task_id)
        assert report is not None
        seen.append(report.progress)
        return {}

    run(make)

    assert seen == [Progress(*written)]


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\u2028", "😀"])
def test_an_error_with_odd_characters_still_ends_the_report(run: RunReport, text: str) -> None:
    assert run(raises(ValueError(text))).status is Status.FAILED


def test_a_type_that_exits_fails_its_report(run: RunReport) -> None:
    assert run(raises(SystemExit(3))).error == "The report failed: SystemExit: 3"


def test_a_type_that_this_worker_does_not_know_fails_with_advice(run: RunReport) -> None:
    report = run(None, "forecast")

    assert report.status is Status.FAILED
    assert report.reason == "unknown_type"
    assert report.error == (
        "This worker does not know reports of type 'forecast'. "
        "The worker may be older than the API: upgrade the worker, then run the report again."
    )


VISITS = """
from reports_worker.authoring import Contents, ReportType

def make(assignment):
    assignment.progress(100, "counting")
    return Contents({"visits": 7})

TYPE = ReportType("visits", "Visits", "", make, formats=["json"])
"""


class RecordedLeases(Leases):
    """Leases that record the progress of a report, and the content of its scratch folder at its end."""

    def __init__(self, connection: Redis, scratch: Path) -> None:
        super().__init__(connection, retention=timedelta(days=1))
        self._scratch = scratch
        self.percents: list[int] = []
        self.left_at_publish: list[Path] | None = None

    def progress(self, execution: Execution, percent: int, stage: str) -> bool:
        self.percents.append(percent)
        return super().progress(execution, percent, stage)

    def publish(self, execution: Execution, outcome: Outcome) -> bool:
        self.left_at_publish = list(self._scratch.iterdir())
        return super().publish(execution, outcome)


def make_from_file(queue: ReportQueue, leases: Leases, folder: Path, text: str) -> Report:
    """Run a report of a type `visits` whose file has this text, without a warehouse."""
    (folder / "visits.py").write_text(text)
    task_id = queue.submit(Submission("Quarter", "visits"))
    execution = Execution(task_id, "execution")
    assert leases.start(execution, worker="worker", expires=timedelta(hours=1))
    data = DataSettings(report_folders=(folder,), artifacts=FolderAddress(folder / "artifacts"))
    report = queue.find(task_id)
    assert report is not None
    ReportRunner(report, execution, leases, Settings(data=data), LIMITS, SharedState()).run()
    ended = queue.find(task_id)
    assert ended is not None
    return ended


def test_a_type_of_a_file_leaves_files_where_there_is_no_warehouse(
    connection: Redis, queue: ReportQueue, tmp_path: Path
) -> None:
    leases = RecordedLeases(connection, tmp_path / "artifacts" / ".scratch")

    report = make_from_file(queue, leases, tmp_path, VISITS)

    assert report.result is not None
    assert report.result["visits"] == 7
    assert [receipt.name for receipt in report.artifacts] == ["report.json", "receipts.json"]
    assert leases.percents == sorted(leases.percents)
    assert leases.left_at_publish == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "x = 1",
            "The definition of 'visits' cannot be used: The file has no TYPE: write `TYPE = ReportType(...)`.",
        ),
        (
            "def __getattr__(name):\n    raise KeyError(name)",
            "The report failed: KeyError: 'TYPE'",
        ),
    ],
)
def test_a_definition_that_cannot_be_used_fails_its_report_at_once(
    queue: ReportQueue, leases: Leases, tmp_path: Path, text: str, sentence: str
) -> None:
    report = make_from_file(queue, leases, tmp_path, text)

    assert (report.status, report.reason, report.error) == (Status.FAILED, "error", sentence)


def test_parameters_that_this_worker_does_not_know_are_rejected_with_advice(run: RunReport) -> None:
    report = run(None, "sales", {"region": "north"})

    assert report.reason == "rejected"
    assert report.error == (
        "This worker does not accept these parameters: 'region' is not a parameter of this type. "
        "The worker and the API may have different versions: upgrade the older one, then run the report again."
    )


def make_with(queue: ReportQueue, leases: Leases, parameters: Mapping[str, Any], make: Make) -> Report:
    """Run a report of a type with a parameter of each kind."""
    task_id = queue.submit(Submission("Quarter", "everything", dict(parameters)))
    execution = Execution(task_id, "execution")
    assert leases.start(execution, worker="worker", expires=timedelta(hours=1))
    report = queue.find(task_id)
    assert report is not None
    report_type = ReportType("everything", "", "", make, parameters=EVERY_KIND.parameters)
    ReportRunner(report, execution, leases, AT_ONCE, LIMITS, SharedState(), {"everything": report_type}).run()
    ended = queue.find(task_id)
    assert ended is not None
    return ended


def test_a_type_gets_its_parameters_as_stored_and_as_python_values(
    queue: ReportQueue, leases: Leases
) -> None:
    seen: list[ReportContext] = []
    period = {"preset": "last_quarter", "from": "2020-01-01", "to": "2020-03-31"}

    def make(context: ReportContext) -> Mapping[str, Any]:
        seen.append(context)
        return {}

    make_with(queue, leases, {"period": period, "channels": ["shop"], "region": 7}, make)

    assert seen[0].parameters["period"] == period
    assert seen[0].values["period"] == DateRange(date(2020, 1, 1), date(2020, 3, 31))
    assert (seen[0].values["channels"], seen[0].values["region"]) == (("shop",), 7)
    assert (seen[0].values["top"], seen[0].values["note"]) == (10, None)


def test_parameters_that_are_not_in_their_stored_form_are_rejected(
    queue: ReportQueue, leases: Leases
) -> None:
    report = make_with(queue, leases, {"period": {"preset": "last_quarter"}}, lambda _: {})

    assert report.reason == "rejected"
    assert report.error is not None
    assert report.error.startswith("This worker does not accept these parameters: Period must be")


def test_progress_is_reported_while_the_report_runs(run: RunReport, queue: ReportQueue) -> None:
    seen = []

    def make(context: ReportContext) -> Mapping[str, Any]:
        for percent, stage in [(0, "first"), (50, "second")]:
            context.progress(percent, stage)
            report = queue.find(context.task_id)
            assert report is not None
            seen.append((report.status, report.progress))
        return {}

    run(make)

    assert seen == [(Status.RUNNING, Progress(0, "first")), (Status.RUNNING, Progress(50, "second"))]


def test_progress_that_is_reported_often_is_written_seldom(run: RunReport, connection: Redis) -> None:
    written = set()

    def make(context: ReportContext) -> Mapping[str, Any]:
        for percent in range(100):
            context.progress(percent, "counting")
            written.add(connection.hget(keys.job(context.task_id), "percent"))
        return {}

    run(make)

    assert len(written) < 10


def test_a_result_whose_lease_is_lost_is_dropped(
    run: RunReport, connection: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    def make(context: ReportContext) -> Mapping[str, Any]:
        connection.set(keys.lease(context.task_id), "another")
        return {"late": True}

    report = run(make)

    assert report.status is Status.RUNNING
    assert report.result is None
    assert "the lease is lost, so the outcome is dropped" in caplog.text


def test_the_log_has_one_line_for_each_stage(run: RunReport, caplog: pytest.LogCaptureFixture) -> None:
    def make(context: ReportContext) -> Mapping[str, Any]:
        context.progress(10, "adding up")
        context.progress(20, "adding up")
        return {}

    with caplog.at_level(logging.INFO, logger="reports_worker"):
        report = run(make)

    lines = [record.getMessage() for record in caplog.records]
    begin = f"event=task task_id={report.task_id} type=custom"
    assert [line.rpartition(" seconds=")[0] for line in lines] == [
        f"{begin} stage={json.dumps('adding up')} percent=10",
        f"{begin} stage=completed percent=100",
    ]


def test_a_title_never_reaches_the_log(run: RunReport, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="reports_worker"):
        run(lambda _: {})

    assert "Quarter" not in caplog.text
