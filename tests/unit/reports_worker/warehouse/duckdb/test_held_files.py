"""A report over files sees one state of them from its first query to its last, or ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from reports_worker.warehouse.errors import WarehouseUnavailableError
from reports_worker.warehouse.warehouse import Warehouse
from tests.unit.reports_worker.warehouse.folders import open_at, opened, write_parquet, write_text

SUM = "SELECT count(*), sum(v) FROM t"


def renew(folder: Path, ending: str, rows: int) -> None:
    """Write a table to a temporary file and rename it, as docs/reference/warehouse.md advises."""
    aside = folder / f".aside{ending}"
    if ending == ".parquet":
        write_parquet(aside, f"SELECT range AS v FROM range({rows})")  # noqa: S608 - a number
    else:
        write_text(aside, "v\n" + "".join(f"{number}\n" for number in range(rows)))
    aside.rename(folder / f"t{ending}")


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_a_file_replaced_between_two_queries_does_not_affect_the_report(tmp_path: Path, ending: str) -> None:
    renew(tmp_path, ending, 10)
    with opened(tmp_path) as warehouse:
        assert warehouse.fetch(SUM) == [(10, 45)]
        for rows in (20, 30):
            renew(tmp_path, ending, rows)
            assert warehouse.fetch(SUM) == [(10, 45)]

    with opened(tmp_path) as warehouse:
        assert warehouse.fetch(SUM) == [(30, 435)]


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_a_file_replaced_before_its_first_query_is_read_in_its_first_state(
    tmp_path: Path, ending: str
) -> None:
    renew(tmp_path, ending, 10)
    with opened(tmp_path) as warehouse:
        renew(tmp_path, ending, 20)

        assert warehouse.fetch(SUM) == [(10, 45)]


def test_rows_that_stream_are_of_the_state_of_the_beginning(tmp_path: Path) -> None:
    renew(tmp_path, ".parquet", 5000)
    with opened(tmp_path) as warehouse:
        batches = warehouse.query("SELECT v FROM t ORDER BY v").batches()
        first = next(batches)
        renew(tmp_path, ".parquet", 10)

        assert len(first) + sum(map(len, batches)) == 5000


def test_files_that_are_removed_are_read_to_the_end_of_the_report(tmp_path: Path) -> None:
    for year in (2025, 2026):
        write_parquet(tmp_path / "t" / f"year={year}" / "a.parquet", f"SELECT {year} AS v")
    with opened(tmp_path) as warehouse:
        for path in (tmp_path / "t").rglob("*.parquet"):
            path.unlink()

        assert warehouse.fetch("SELECT v, year FROM t ORDER BY v") == [(2025, 2025), (2026, 2026)]


def test_a_new_file_is_not_seen(tmp_path: Path) -> None:
    write_text(tmp_path / "t" / "a.csv", "v\n1\n")
    with opened(tmp_path) as warehouse:
        write_text(tmp_path / "t" / "b.csv", "v\n2\n")

        assert warehouse.fetch(SUM) == [(1, 1)]


@pytest.mark.parametrize("first", [[], [SUM]])
def test_a_file_that_is_rewritten_in_place_ends_the_report(tmp_path: Path, first: list[str]) -> None:
    write_text(tmp_path / "t.csv", "v\n1\n")
    write_text(tmp_path / "other.csv", "v\n7\n")
    with opened(tmp_path) as warehouse:
        for sql in first:
            assert warehouse.fetch(sql) == [(1, 1)]
        write_text(tmp_path / "t.csv", "v\n2\n3\n")

        expect_change(warehouse, SUM)
        assert warehouse.fetch("SELECT v FROM other") == [(7,)]


def test_a_file_that_is_cut_while_its_rows_stream_ends_the_report(tmp_path: Path) -> None:
    write_text(tmp_path / "t.csv", "v\n" + "1\n" * 100_000)
    with opened(tmp_path) as warehouse:
        batches = warehouse.query("SELECT v FROM t").batches()
        next(batches)
        os.truncate(tmp_path / "t.csv", 100)

        with pytest.raises(WarehouseUnavailableError, match=r"'t' changed while the report read it: t\.csv"):
            list(batches)


def test_a_file_that_is_moved_out_of_the_folder_ends_the_report(tmp_path: Path) -> None:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    renew(folder, ".parquet", 10)
    with opened(folder) as warehouse:
        (folder / "t.parquet").rename(tmp_path / "t.parquet")

        expect_change(warehouse, SUM)


def test_a_file_that_is_moved_within_the_folder_is_still_read(tmp_path: Path) -> None:
    renew(tmp_path, ".parquet", 10)
    with opened(tmp_path) as warehouse:
        (tmp_path / "t.parquet").rename(tmp_path / "old.parquet")

        assert warehouse.fetch(SUM) == [(10, 45)]


def test_a_report_leaves_no_open_file(tmp_path: Path) -> None:
    renew(tmp_path, ".parquet", 10)
    before = count_open_files()
    with opened(tmp_path) as warehouse:
        warehouse.fetch(SUM)
        assert count_open_files() > before

    assert count_open_files() == before


def count_open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def expect_change(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseUnavailableError, match="'t' changed while the report read it: t") as caught:
        warehouse.fetch(sql)
    assert "/" not in str(caught.value)


# Reads folders in turn, each with as many open files as stand after it: no later process may have more.
FEW_FILES = """
import resource, sys
from pathlib import Path
from tests.unit.reports_worker.warehouse.folders import opened
from tests.unit.reports_worker.warehouse.duckdb.test_held_files import SUM, renew

for name, *limits in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
    folder, (soft, hard) = Path(name), map(int, limits)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with opened(folder) as warehouse:
        print(warehouse.fetch(SUM))
        renew(folder, ".parquet", 20)
        for sql in (SUM, "SELECT count(*) FROM many"):
            try:
                print(warehouse.fetch(sql))
            except Exception as error:
                print(type(error).__name__, error)
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] > soft)
"""


def test_where_not_all_files_can_be_held_a_change_ends_the_report_and_too_many_are_reported(
    tmp_path: Path,
) -> None:
    for name, count in (("held", 60), ("not_held", 60), ("too_many", 300)):
        (tmp_path / name).mkdir()
        renew(tmp_path / name, ".parquet", 10)
        for number in range(count):
            write_text(tmp_path / name / "many" / f"{number}.csv", f"v\n{number}\n")
    limits = [("held", 100, 2000), ("not_held", 100, 300), ("too_many", 100, 200)]

    done = subprocess.run(
        [sys.executable, "-c", FEW_FILES]
        + [text for name, soft, hard in limits for text in (str(tmp_path / name), str(soft), str(hard))],
        capture_output=True,
        text=True,
        check=True,
    )

    changed = "WarehouseUnavailableError The warehouse's table 't' changed"
    too_many = (
        "WarehouseUnavailableError The warehouse's table 'many' has more files than the worker may open"
    )
    expected = [
        *("[(10, 45)]", "[(10, 45)]", "[(60,)]", "True"),
        *("[(10, 45)]", changed, "[(60,)]", "True"),
        *("[(10, 45)]", changed, too_many, "True"),
    ]
    lines = done.stdout.splitlines()
    assert len(lines) == len(expected), done
    assert all(map(str.startswith, lines, expected)), "\n".join(lines)


def test_a_file_of_duckdb_that_is_replaced_is_read_as_it_was(tmp_path: Path) -> None:
    path, aside = tmp_path / "w.duckdb", tmp_path / "aside.duckdb"
    for place, value in ((path, 1), (aside, 2)):
        with duckdb.connect(place) as connection:
            connection.execute(f"CREATE TABLE t AS SELECT {value} AS v FROM range(100000)")  # noqa: S608 - a number
    warehouse = open_at(path, tmp_path)
    assert warehouse.fetch("SELECT max(v) FROM t WHERE v < 2") == [(1,)]
    aside.rename(path)

    assert warehouse.fetch(SUM) == [(100_000, 100_000)]
    warehouse.close()
