"""The export of a report's content to files, and the outcome that is published."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness.wait import wait_until
from reports_worker import Report, ReportType, Status
from reports_worker.artifacts.address import FolderAddress
from reports_worker.content.report import MOST_CHART_ROWS, Chart, Contents, Table
from reports_worker.content.rows import Batch, Column, GivenRows, Kind
from reports_worker.domain.report import Completed
from reports_worker.domain.task_id import new_task_id
from reports_worker.execution.export import Exporter
from reports_worker.execution.limits import Limits
from reports_worker.execution.progress import ProgressRange, ProgressWriter
from reports_worker.execution.resources import ExecutionResources
from reports_worker.formats.errors import TooManyRowsError
from reports_worker.queue.leases import Execution, Leases
from reports_worker.settings.data import DataSettings

NUMBER = Column("number", Kind.INTEGER)
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


class RecordedProgress(ProgressWriter):
    """A progress writer that records all calls."""

    def __init__(self, report: Report, execution: Execution, leases: Leases) -> None:
        super().__init__(report, execution, leases)
        self.calls: list[tuple[int, str, str]] = []

    def __call__(self, percent: int, stage: str, detail: str = "") -> None:
        self.calls.append((percent, stage, detail))
        super().__call__(percent, stage, detail)


class Place:
    """An exporter with a folder of its own."""

    def __init__(
        self, leases: Leases, folder: Path, *, formats: Sequence[str] | None, most_rows: int, number: int
    ) -> None:
        task_id = new_task_id()
        self.execution = Execution(task_id, "e1", number)
        chosen = None if formats is None else tuple(formats)
        self.report = Report(task_id, "Quarter", "visits", Status.RUNNING, NOW, formats=chosen)
        data = DataSettings(artifacts=FolderAddress(folder / "artifacts"), max_rows=most_rows)
        self.resources = ExecutionResources(self.execution, data, Limits(timedelta(minutes=1), 10**12))
        self.progress = RecordedProgress(self.report, self.execution, leases)
        self.kept = folder / "artifacts" / task_id / "e1"

    def export(self, contents: Contents, **of_type: Any) -> Completed:
        report_type = ReportType("visits", "Visits", "", lambda _: contents, **of_type)
        progress = ProgressRange(self.progress, 0, 100)
        return Exporter(self.report, report_type, "v1", self.resources, progress, self.progress).run(contents)


@pytest.fixture
def make_place(leases: Leases, tmp_path: Path) -> Iterator[Any]:
    places: list[Place] = []

    def make(*, formats: Sequence[str] | None = None, most_rows: int = 1000, number: int = 1) -> Place:
        places.append(Place(leases, tmp_path, formats=formats, most_rows=most_rows, number=number))
        return places[-1]

    yield make
    for place in places:
        place.resources.close()
    for place in places:
        assert list(place.resources.store.scratch_root.glob("*")) == []


def contents(*counts: int, **given: Any) -> Contents:
    """Make the content of a report with one table for each count of rows."""
    tables = [
        Table(f"t{place}", f"Table {place}", GivenRows([NUMBER], [(number,) for number in range(count)]))
        for place, count in enumerate(counts)
    ]
    return Contents({"visits": 7, "processing_time": 99}, tables=tables, **given)


def test_files_are_stored_as_their_receipts_say_with_the_receipts_last(make_place: Any) -> None:
    place = make_place(formats=["csv", "json"])

    completed = place.export(contents(3, 0, as_of=NOW))

    names = [receipt.name for receipt in completed.artifacts]
    assert names == ["t0.csv", "t1.csv", "report.json", "receipts.json"]
    assert sorted(path.name for path in place.kept.iterdir()) == sorted(names)
    for receipt in completed.artifacts:
        data = (place.kept / receipt.name).read_bytes()
        assert (receipt.size, receipt.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert [receipt.rows_written for receipt in completed.artifacts] == [3, 0, 3, None]
    assert (completed.as_of, completed.version) == (NOW, "v1")


def test_the_formats_of_the_type_are_written_where_the_request_names_none(make_place: Any) -> None:
    asked = make_place(formats=["json"]).export(contents(1), formats=["csv"])
    by_type = make_place().export(contents(1), formats=["csv"])

    assert [receipt.format for receipt in asked.artifacts] == ["json", "receipts"]
    assert [receipt.format for receipt in by_type.artifacts] == ["csv", "receipts"]


def test_the_processing_time_covers_the_whole_execution(make_place: Any) -> None:
    completed = make_place(formats=["json"]).export(contents())

    assert completed.summary == {"visits": 7, "processing_time": 0}


def test_a_report_with_too_many_rows_stores_no_file(make_place: Any) -> None:
    place = make_place(formats=["csv"], most_rows=5)

    with pytest.raises(TooManyRowsError, match="in table 't1'"):
        place.export(contents(5, 1))

    assert not place.kept.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["../c"], ["c"]),
        (["Revenue by month", "revenue_by_month"], ["revenue_by_month", "revenue_by_month_2"]),
        (["", "!", "c", "c"], ["chart", "chart_2", "c", "c_2"]),
        (["c" * 101, "c" * 101], ["c" * 90, f"{'c' * 90}_2"]),
    ],
)
def test_a_chart_has_a_name_of_its_own_that_a_file_can_have(
    make_place: Any, given: Sequence[str], kept: Sequence[str]
) -> None:
    charts = [Chart(name, "C", {"mark": "bar"}, [NUMBER], [(1,)]) for name in given]

    completed = make_place(formats=["png"]).export(Contents({}, charts=charts))

    assert [receipt.name for receipt in completed.artifacts[:-1]] == [f"chart-{name}.png" for name in kept]
    assert [receipt.chart for receipt in completed.artifacts[:-1]] == kept


BAD = Chart("bad", "Bad", {"mark": "nonsense", "encoding": 7}, [NUMBER], [(1,)])
GOOD = Chart(
    "good", "Good", {"mark": "point", "encoding": {"x": {"field": "number"}}}, [NUMBER], [(1,), (2,)]
)


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.wide)])
def test_a_chart_that_cannot_be_drawn_loses_its_pictures_and_nothing_else(
    make_place: Any, number: int
) -> None:
    place = make_place(number=number)

    completed = place.export(contents(3, charts=[BAD, GOOD]))

    whole = {receipt.name: (receipt.rows_written, receipt.is_complete) for receipt in completed.artifacts}
    assert whole == {
        "t0.csv": (3, True),
        "t0.parquet": (3, True),
        "report.xlsx": (3, True),
        "chart-bad.svg": (0, False),
        "chart-bad-dark.svg": (0, False),
        "chart-good.svg": (2, True),
        "chart-good-dark.svg": (2, True),
        "chart-bad.png": (0, False),
        "chart-good.png": (2, True),
        "report.pdf": (3, False),
        "report.json": (3, True),
        "receipts.json": (None, True),
    }
    sentence = "The chart could not be drawn: Cannot read properties of undefined (reading 'filled')."
    assert {receipt.cut for receipt in completed.artifacts} == {None, f"Bad: {sentence}"}
    preview = json.loads(completed.preview or "")
    assert [(chart["title"], chart["cut"]) for chart in preview["charts"]] == [
        ("Bad", sentence),
        ("Good", None),
    ]
    for look in ("", "-dark"):
        shown = " ".join(ET.parse(place.kept / f"chart-bad{look}.svg").getroot().itertext())
        assert "Bad" in shown
        assert "The chart could not be drawn" in shown


def test_rows_that_a_chart_leaves_out_are_counted_by_its_table(make_place: Any) -> None:
    numbers = [(number,) for number in range(MOST_CHART_ROWS + 1)]
    # A line is one shape in the picture, where points are thousands; so are the labels of each number as a name.
    axis = {"field": "number", "type": "quantitative"}
    chart = replace(GOOD, spec={"mark": "line", "encoding": {"x": axis}}, rows=numbers, table="t0")

    completed = make_place(formats=["svg", "json"], most_rows=10_000).export(contents(7_000, charts=[chart]))

    sentence = "The first 5,000 of 7,000 rows are drawn."
    picture, _, document, _ = completed.artifacts
    assert (picture.rows_written, picture.rows_expected, picture.cut) == (5_000, 7_000, f"Good: {sentence}")
    assert (document.rows_written, document.cut) == (7_000, f"Good: {sentence}")
    (shown,) = json.loads(completed.preview or "")["charts"]
    assert (shown["rows"], shown["cut"]) == (5_000, sentence)


def test_each_stage_is_reported_and_percents_never_fall(make_place: Any) -> None:
    place = make_place(formats=["csv"])

    completed = place.export(contents(2, 2))

    calls = place.progress.calls
    assert [percent for percent, *_ in calls] == sorted(percent for percent, *_ in calls)
    stages = ["reading Table 0", "reading Table 1", "writing CSV", "storing the files"]
    assert list(dict.fromkeys(stage for _, stage, _ in calls)) == stages
    assert (25, "reading Table 1", "4 rows") in calls
    preview = json.loads(completed.preview or "")
    assert [stage["name"] for stage in preview["stages"]] == stages
    assert [table["first"] for table in preview["tables"]] == [[[0], [1]]] * 2


class RowsOfAnEngine:
    """Rows that their engine writes itself, and that wait for the progress."""

    columns = (NUMBER,)

    def __init__(self, place: Place) -> None:
        self._place = place

    def batches(self) -> Iterator[Batch]:
        raise AssertionError("the engine writes its rows itself")

    def write_parquet(self, path: Path, most_rows: int) -> int:
        wait_until(lambda: (0, "reading Table", "40%") in self._place.progress.calls, what="the progress")
        duckdb.execute(f"COPY (SELECT 1 AS number) TO '{path}' (FORMAT parquet)")
        return min(1, most_rows)


def test_the_progress_of_a_query_is_reported_while_its_engine_writes(
    make_place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_place(formats=["csv"])
    monkeypatch.setattr(place.resources, "query_progress", lambda: 0.4)

    completed = place.export(Contents({}, tables=[Table("t", "Table", RowsOfAnEngine(place))]))

    assert completed.artifacts[0].rows_written == 1
