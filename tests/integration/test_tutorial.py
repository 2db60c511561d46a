"""The files of the tutorial, as a reader writes them into a folder of their own, and what it says of them."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.wait import wait_until
from harness.worker_process import StartWorkerOf
from reports_worker import Report, Status, authoring
from reports_worker.catalog.find import find_types
from reports_worker.catalog.live_catalog import LiveCatalog
from reports_worker.catalog.sql_file import CHART_KEYS, KEYS
from reports_worker.demo.generator import Demo, write
from reports_worker.parameters.parameter import Parameter
from reports_worker.parameters.presets import PRESETS
from reports_worker.parameters.registry import KINDS
from tests.integration.data_places import DataPlace, open_place

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = (DOCS / "start" / "your-own-reports.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "reference" / "report-types.md").read_text(encoding="utf-8")
FILES = {
    match[1]: match[2]
    for match in re.finditer(r"^```(?:sql|python) (\S+)\n(.*?)^```$", TUTORIAL, re.M | re.S)
}
COMMON = dataclasses.fields(Parameter)
PERIOD = {"from": "2026-01-01", "to": "2026-05-31"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[DataPlace]:
    folder = tmp_path_factory.mktemp("tutorial")
    write(Demo(2000, 1, "2026-06-14"), folder / "warehouse")
    with open_place(folder, start_worker, warehouse=str(folder / "warehouse")) as place:
        for name, text in FILES.items():
            (place.types / name).write_text(text, encoding="utf-8")
        yield place


def make(place: DataPlace, name: str, formats: Sequence[str] | None = None, **parameters: object) -> Report:
    task_id = place.door.submit(f"Of {name}", name, parameters=parameters, formats=formats)
    report = place.queue.wait_for_end(task_id, seconds=60)
    assert (report.status, report.error) == (Status.COMPLETED, None)
    return report


def read_rows(place: DataPlace, report: Report, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(place.read(report, name).decode().splitlines()))


def test_it_has_three_files_of_sql_and_one_of_python() -> None:
    assert list(FILES) == ["cancellations.sql", "refusals.sql", "basket.py", "broken.sql"]


def test_the_first_file_gives_figures_a_chart_and_all_files(place: DataPlace) -> None:
    report = make(place, "cancellations")

    assert report.result is not None
    rows = read_rows(place, report, "by_month.csv")
    assert report.result["orders"] == 2000
    assert sum(int(row["cancelled"]) for row in rows) == report.result["cancelled"] > 0
    names = {receipt.name for receipt in report.artifacts}
    assert {"by_month.csv", "by_month.parquet", "report.xlsx", "report.pdf", "report.json"} < names
    assert any(name.endswith(".svg") for name in names)


def test_parameters_choose_what_counts(place: DataPlace) -> None:
    everywhere = make(place, "refusals", ["csv"], period=PERIOD)
    in_europe = make(place, "refusals", ["csv"], period=PERIOD, region="Europe")

    assert everywhere.result is not None
    assert in_europe.result is not None
    assert 0 < in_europe.result["cancelled"] < everywhere.result["cancelled"] < 2000
    rows = read_rows(place, in_europe, "by_warehouse.csv")
    assert sum(int(row["cancelled"]) for row in rows) == in_europe.result["cancelled"]


def test_the_python_file_leaves_the_files_that_it_says(place: DataPlace) -> None:
    report = make(place, "basket", period=PERIOD, width=20)

    assert report.result is not None
    rows = read_rows(place, report, "steps.csv")
    assert sum(int(row["orders"]) for row in rows) == report.result["orders"] > 0
    assert {int(row["least"]) % 20 for row in rows} == {0}
    assert {receipt.format for receipt in report.artifacts} == {"csv", "pdf", "svg", "receipts"}


def test_a_quote_taken_away_is_said_with_its_line_and_hides_no_other(place: DataPlace) -> None:
    broken = FILES["cancellations.sql"].replace("'cancelled')", "'cancelled)", 1)
    (place.types / "cancellations_too.sql").write_text(broken, encoding="utf-8")

    catalog = find_types(place.settings.data)
    assert isinstance(catalog, LiveCatalog)
    wait_until(lambda: len(catalog.broken) == 2, what="a catalog with what is broken")

    broken_too, cut_short = catalog.broken
    assert f"\n```\n{broken_too}\n```\n" in TUTORIAL
    assert (cut_short.file, cut_short.line) == ("cancellations_too.sql", 11)
    assert {"cancellations", "refusals", "basket", "sales"} <= catalog.keys()


@pytest.mark.parametrize(
    "word",
    [*KEYS, *CHART_KEYS, *KINDS, *PRESETS, *authoring.__all__, *(one.name for one in COMMON)],
)
def test_the_reference_names_everything_that_can_be_written(word: str) -> None:
    assert f"`{word}`" in REFERENCE


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_has_each_option_of_a_kind_in_its_row(kind: str) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \| .*", REFERENCE, re.M)
    own = {field.name for field in dataclasses.fields(KINDS[kind])} - {field.name for field in COMMON}

    said = row + re.findall(r"^\| `choice` \| .*", REFERENCE, re.M)[0] if kind == "choices" else row
    assert f"`{KINDS[kind].__name__}`" in row
    assert [name for name in own if f"`{name}`" not in said] == []
