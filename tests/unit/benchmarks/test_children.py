"""Programs that measure themselves, and whether two sides did the same work."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.data.children import run_child
from benchmarks.data.wide_rows import TABLE, write_rows
from benchmarks.errors import BenchmarkError
from benchmarks.measures.warehouse import check_same


def test_what_a_program_tells_is_read() -> None:
    program = "from benchmarks.data.telling import tell; kept = b'x' * 10**8; tell(1.5, {'rows': 3})"

    measured = run_child("-c", program)

    assert (measured.seconds, measured.found) == (1.5, {"rows": 3})
    assert 100 < measured.megabytes < 300


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(BenchmarkError, match="no such luck"):
        run_child("-c", "raise SystemExit('no such luck')")


def test_rows_have_eight_columns_of_all_kinds_and_are_written_once(tmp_path: Path) -> None:
    folder = write_rows(tmp_path, 5)
    assert write_rows(tmp_path, 5) == folder

    rows = duckdb.read_parquet(str(folder / f"{TABLE}.parquet"))

    assert len(rows) == 5
    assert list(map(str, rows.types)) == [
        "BIGINT",
        "VARCHAR",
        "VARCHAR",
        "DECIMAL(12,2)",
        "DOUBLE",
        "DATE",
        "TIMESTAMP",
        "BOOLEAN",
    ]


def test_figures_that_differ_end_the_measurement() -> None:
    check_same("sales", {"orders": 3, "revenue": 1.5, "more": 1}, {"orders": 3, "revenue": 1.5 + 1e-12})

    with pytest.raises(BenchmarkError, match="orders of sales: 3 by us, 4 by pandas"):
        check_same("sales", {"orders": 3}, {"orders": 4})
