"""The built-in types over DuckDB, against a count in plain Python."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from reports_worker.demo.generator import Demo, write
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.open import open_warehouse
from tests.independent_count import cases, compare, read_tables

UNTIL = date(2026, 6, 14)


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.wide), pytest.param(3, marks=pytest.mark.wide)]
)
def test_the_types_give_what_a_count_in_python_gives(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    write(Demo(2000, seed, UNTIL.isoformat()), folder)
    tables = read_tables(folder)
    bounds = Bounds(timedelta(minutes=1), 512_000_000, tmp_path)
    warehouse = open_warehouse(str(folder), bounds)

    try:
        for case in cases(UNTIL, seed):
            compare(warehouse, tables, case)
    finally:
        warehouse.close()
