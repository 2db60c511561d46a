"""What comes back from Spark: values, kinds, batches, tables; and what goes there as a value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from reports_worker.content.rows import Kind
from reports_worker.warehouse.errors import WarehouseError
from reports_worker.warehouse.warehouse import Query, Warehouse
from tests.spark.conftest import ORDERS, Open

NASTY = "'; DROP TABLE orders; -- \\ ${env:HOME} :x \" ` \n 中文 Č 🙂 /* %s {y}"


def test_values_and_kinds_are_exact(shared: Warehouse) -> None:
    rows = shared.query(
        Query(
            """SELECT CAST('12345678901234567890.10' AS DECIMAL(38, 2)) AS money, DATE '2026-03-29' AS day,
            TIMESTAMP '2026-03-29 03:30:00.123456 Europe/Prague' AS moment,
            TIMESTAMP_NTZ '2026-01-01 00:00' AS plain, CAST(7 AS BIGINT) AS whole, 0.5D AS part, true AS truth,
            'x' AS word, NULL AS nothing, X'00FF' AS bytes, ARRAY(1, 2) AS several""",
            native=True,
        )
    )

    assert [(column.name, column.kind) for column in rows.columns] == [
        ("money", Kind.DECIMAL),
        ("day", Kind.DATE),
        ("moment", Kind.TIMESTAMP),
        ("plain", Kind.TIMESTAMP),
        ("whole", Kind.INTEGER),
        ("part", Kind.NUMBER),
        ("truth", Kind.BOOLEAN),
        ("word", Kind.TEXT),
        ("nothing", Kind.TEXT),
        ("bytes", Kind.TEXT),
        ("several", Kind.TEXT),
    ]
    assert [row for batch in rows.batches() for row in batch] == [
        (
            Decimal("12345678901234567890.10"),
            date(2026, 3, 29),
            datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
            datetime(2026, 1, 1, tzinfo=UTC),
            7,
            0.5,
            True,
            "x",
            None,
            "00ff",
            "[1, 2]",
        )
    ]


def test_values_are_bound_and_never_read_as_sql(shared: Warehouse) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 5, 123456, tzinfo=UTC)
    values = {
        "text": NASTY,
        "money": Decimal("12.340"),
        "day": date(2026, 3, 4),
        "whole": 2**40,
        "part": 0.5,
        "truth": True,
        "nothing": None,
        "moment": moment,
    }
    marks = ", ".join(f":{name}" for name in values)

    assert shared.fetch(Query(f"SELECT {marks}", native=True), **values) == [tuple(values.values())]
    assert shared.fetch("SELECT COUNT(*) FROM orders WHERE region = :x", x="x' OR 'a' = 'a") == [(0,)]
    assert shared.fetch("SELECT COUNT(*) FROM orders WHERE region IN (:several)", several=()) == [(0,)]
    assert shared.fetch("SELECT COUNT(*) FROM orders") == [(ORDERS,)]


def test_rows_come_in_batches_and_in_order(shared: Warehouse) -> None:
    batches = list(shared.query("SELECT order_id FROM orders ORDER BY order_id DESC").batches())

    numbers = [row[0] for batch in batches for row in batch]
    assert len(batches) > 1
    assert max(map(len, batches)) <= 1000
    assert len(numbers) == ORDERS
    assert numbers == sorted(numbers, reverse=True)


def test_several_queries_can_be_read_side_by_side(shared: Warehouse) -> None:
    query = "SELECT order_id FROM orders ORDER BY order_id"

    assert [*shared.query(query).batches()] == [*shared.query(query).batches()]
    both = zip(shared.query(query).batches(), shared.query(query).batches(), strict=True)
    assert all(one == other for one, other in both)


def test_an_exact_quantile_stays_exact(shared: Warehouse) -> None:
    query = "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM VALUES (1), (2), (3), (10) AS t(x)"

    assert shared.fetch(Query(query, native=True)) == [(2.5,)]


def test_the_tables_of_a_folder_are_told(shared: Warehouse) -> None:
    tables = shared.schema()

    assert {"orders", "order_lines", "products", "stock", "users", "sign_ins"} == set(tables)
    assert "region" in [column.name for column in tables["orders"]]


def test_a_folder_of_files_is_one_table(open_at: Open, tmp_path: Path, demo: Path) -> None:
    several = tmp_path / "several" / "orders"
    several.mkdir(parents=True)
    for name in ("one.parquet", "two.parquet"):
        (several / name).symlink_to(demo / "orders.parquet")
    warehouse = open_at(f"folder={several.parent}")

    assert warehouse.fetch("SELECT COUNT(*) FROM orders") == [(2 * ORDERS,)]


def test_the_tables_of_a_database_are_read(open_at: Open, cluster_database: str) -> None:
    warehouse = open_at(f"database={cluster_database}")

    assert warehouse.fetch("SELECT SUM(id) FROM numbers") == [(45,)]
    assert [column.name for column in warehouse.schema()["numbers"]] == ["id"]


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("SELECT * FROM nothing", "no table nothing"),
        ("SELECT wrong FROM orders", "no column `wrong`"),
        ("SELECT 1 / 0", "Division by zero"),
        ("SELECT * FROM orders WHERE", "cannot be read"),
        ("SELECT nonsense(1)", "NONSENSE"),
    ],
)
def test_a_query_that_cannot_run_says_why(sql: str, sentence: str, shared: Warehouse) -> None:
    with pytest.raises(WarehouseError, match=sentence):
        shared.fetch(Query(sql, native=True))
