"""The built-in types on Spark, against a count in plain Python."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from reports_worker.demo.generator import Demo, write
from tests.independent_count import cases, compare, read_tables
from tests.spark.conftest import ORDERS, UNTIL, Open


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_types_give_what_a_count_in_python_gives(seed: int, tmp_path: Path, open_at: Open) -> None:
    folder = tmp_path / "demo"
    write(Demo(ORDERS, seed, UNTIL.isoformat()), folder)
    tables = read_tables(folder)
    warehouse = open_at(f"folder={folder}")

    for case in islice(cases(UNTIL, seed), 2):
        compare(warehouse, tables, case)
