"""A folder as Spark's warehouse: files of one table are united or refused, and a change of them is told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from reports_worker.warehouse.errors import WarehouseError, WarehouseUnavailableError
from tests.spark.conftest import Open
from tests.unit.reports_worker.warehouse.folders import write_parquet


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of which some cannot be read; looked at once."""
    folder = tmp_path_factory.mktemp("folder")
    tables = {
        "more": ["SELECT 1 AS id, 'a' AS old", "SELECT 2 AS id, 'b' AS new"],
        "cents": ["SELECT 1 AS id, 10::BIGINT AS v", "SELECT 2 AS id, 20.75::DOUBLE AS v, 'EUR' AS currency"],
        "money": ["SELECT 1.25::DECIMAL(10,2) AS v", "SELECT 2.3456::DECIMAL(10,4) AS v"],
        "wide": ["SELECT 1::INTEGER AS v", "SELECT 9007199254740993::BIGINT AS v"],
        "text": ["SELECT 7 AS v", "SELECT 'x' AS v"],
        "large": ["SELECT 9007199254740993::BIGINT AS v", "SELECT 0.5::DOUBLE AS v"],
    }
    for name, selects in tables.items():
        for number, select in enumerate(selects, 1):
            write_parquet(folder / name / f"{number}.parquet", select)
    write_parquet(folder / "parted" / "year=2025" / "1.parquet", "SELECT 1 AS id, 10::BIGINT AS v")
    write_parquet(folder / "parted" / "year=2026" / "1.parquet", "SELECT 2 AS id, 0.5::DOUBLE AS v")
    write_parquet(folder / "twice.parquet", "SELECT 1 AS id")
    write_parquet(folder / "twice" / "1.parquet", "SELECT 1 AS id")
    (folder / "half.parquet").write_bytes((folder / "twice.parquet").read_bytes()[:100])
    return folder


def test_files_of_one_table_are_united_by_name_and_type(open_at: Open, folder: Path) -> None:
    warehouse = open_at(f"folder={folder}")

    assert warehouse.fetch("SELECT id, old, new FROM more ORDER BY id") == [(1, "a", None), (2, None, "b")]
    assert warehouse.fetch("SELECT id, v, currency FROM cents ORDER BY id") == [
        (1, 10.0, None),
        (2, 20.75, "EUR"),
    ]
    assert warehouse.fetch("SELECT v FROM money ORDER BY v") == [(Decimal("1.2500"),), (Decimal("2.3456"),)]
    assert warehouse.fetch("SELECT v FROM wide ORDER BY v") == [(1,), (9007199254740993,)]
    assert warehouse.fetch("SELECT id, v, year FROM parted ORDER BY id") == [(1, 10.0, 2025), (2, 0.5, 2026)]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("text", r"'v' is int in text/1\.parquet and string in text/2\.parquet, and no type holds both"),
        ("large", r"'v' is bigint in large/1\.parquet and double in large/2\.parquet.* 9007199254740993"),
        ("twice", r"twice and twice\.parquet are both this table: keep one"),
        ("half", "damaged"),
    ],
)
def test_a_table_that_cannot_be_read_fails_those_that_read_it_alone(
    open_at: Open, folder: Path, table: str, sentence: str
) -> None:
    warehouse = open_at(f"folder={folder}")

    with pytest.raises(WarehouseError, match=f"'{table}' cannot be read: .*{sentence}") as caught:
        warehouse.fetch(f"SELECT * FROM {table}")  # noqa: S608 - a name of this test
    assert str(folder) not in str(caught.value)
    assert table not in warehouse.schema()
    assert warehouse.fetch("SELECT COUNT(*) FROM more") == [(2,)]


def test_a_file_that_is_renewed_ends_the_report(open_at: Open, tmp_path: Path) -> None:
    write_parquet(tmp_path / "t.parquet", "SELECT range AS v FROM range(10)")
    write_parquet(tmp_path / ".aside", "SELECT range AS v FROM range(20)")
    warehouse = open_at(f"folder={tmp_path}")
    assert warehouse.fetch("SELECT COUNT(*) FROM t") == [(10,)]
    (tmp_path / ".aside").rename(tmp_path / "t.parquet")

    with pytest.raises(WarehouseUnavailableError, match=r"'t' changed while the report read it: t\.parquet"):
        warehouse.fetch("SELECT COUNT(*) FROM t")
