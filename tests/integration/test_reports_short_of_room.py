"""Reports over a file of DuckDB that another may hold, whose own files find a disk that is really full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from harness.small_disk import fill
from harness.wait import wait_until
from harness.worker_process import StartWorkerOf
from reports_worker import Report, Status
from tests.integration.data_places import DataPlace, open_place
from tests.integration.sample_types import write_python, write_sql
from tests.needed_tools import small_disk

SMALL = "SELECT count(*) AS orders FROM orders"
# Each needs more than the disk has: what the engine writes, what it spills, what Python hands over.
LARGE = {
    "written": "SELECT *, md5(id::VARCHAR) AS digest FROM orders, range(40)",
    "spilled": "SELECT * FROM (SELECT md5(id::VARCHAR || range) AS a, id FROM orders, range(300)) ORDER BY a",
}
GIVEN = """
rows = ((number, str(hash(str(number)))) for number in range(400_000))
return Contents({}, tables=[Table("found", "Found", GivenRows([NUMBER, Column("t", Kind.TEXT)], rows))])
"""


@dataclass(frozen=True)
class Cramped:
    """A place whose files go to `disk`, which holds 8 MB."""

    place: DataPlace
    disk: Path

    def assert_nothing_is_left(self, report: Report) -> None:
        scratch = self.place.store.scratch_root
        wait_until(lambda: not list(scratch.iterdir()), what="the end of what was being written")
        assert not (scratch.parent / report.task_id).exists()
        assert not self.place.worker.has_ended


@pytest.fixture(scope="module")
def cramped(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[Cramped]:
    folder = tmp_path_factory.mktemp("cramped")
    warehouse = folder / "warehouse.duckdb"
    with duckdb.connect(warehouse) as connection:
        connection.execute("CREATE TABLE orders AS SELECT range AS id, hash(range) AS h FROM range(30000)")
    with (
        small_disk(folder / "disk") as disk,
        open_place(
            folder,
            start_worker,
            warehouse=str(warehouse),
            artifacts=str(disk / "artifacts"),
            REPORTS_MEMORY="400MB",
        ) as place,
    ):
        write_sql(place.types, "small", SMALL)
        write_python(place.types, "given", GIVEN)
        for name, query in LARGE.items():
            write_sql(place.types, name, query)
        yield Cramped(place, disk)


def test_a_warehouse_that_another_writes_is_busy(cramped: Cramped) -> None:
    place = cramped.place
    with duckdb.connect(place.environ["ConnectionStrings__warehouse"]):
        busy = place.make("small")

    assert (busy.status, busy.reason) == (Status.FAILED, "warehouse_busy")
    assert busy.error == (
        "Another program has the warehouse open for writing: try again when the program has closed it."
    )


# What each format and what Python hands over find a full disk in `test_format_files`, too.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("written", marks=pytest.mark.wide),
        "spilled",
        pytest.param("given", marks=pytest.mark.wide),
    ],
)
def test_a_report_that_fills_the_disk_fails_and_gives_the_room_back(cramped: Cramped, name: str) -> None:
    report = cramped.place.make(name)

    assert (report.status, report.reason) == (Status.FAILED, "storage_unavailable")
    assert report.error is not None
    assert report.error.startswith("The disk where the report's files are written is full.")
    cramped.assert_nothing_is_left(report)


def test_a_report_on_a_full_disk_fails_and_the_next_one_is_made_when_there_is_room(cramped: Cramped) -> None:
    filler = fill(cramped.disk)
    failed = cramped.place.make("small", "csv", "json")
    cramped.assert_nothing_is_left(failed)
    filler.unlink()
    made = cramped.place.make("small", "csv", "json")

    assert (failed.status, failed.reason) == (Status.FAILED, "storage_unavailable")
    # The warehouse, which was busy before, is not any more.
    assert (made.status, made.error) == (Status.COMPLETED, None)
    assert cramped.place.read_whole(made)
