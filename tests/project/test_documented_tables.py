"""docs/reference/tables.md and the demo data have the same tables and columns."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from reports_worker.demo.generator import Demo, write
from reports_worker.demo.rows import TABLES

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "tables.md"


def test_the_documented_columns_are_those_of_the_files(tmp_path: Path) -> None:
    write(Demo(100, 1, "2026-06-14"), tmp_path / "demo")
    documented = {}
    for part in DOCS.read_text(encoding="utf-8").split("\n## ")[1:]:
        columns = re.findall(r"^\| `(\w+)` \| ([\w(),]+) \|", part, re.MULTILINE)
        if columns:
            documented[part.partition("\n")[0]] = columns

    with duckdb.connect() as connection:
        written = {
            table: [
                (name, kind)
                for name, kind, *_ in connection.execute(
                    "DESCRIBE FROM read_parquet(?)", [str(tmp_path / "demo" / f"{table}.parquet")]
                ).fetchall()
            ]
            for table in TABLES
        }

    assert documented == written
