"""Databases by SQLAlchemy, with SQLite for all of them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from harness.wait import wait_until
from reports_worker.content.rows import Kind
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.errors import WarehouseCancelledError, WarehouseError, WarehouseUnavailableError
from reports_worker.warehouse.open import open_warehouse
from reports_worker.warehouse.warehouse import Query, Warehouse

SLOW = (
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 1000000000) "
    "SELECT max(n) FROM r"
)


def open_at(path: Path, scratch: Path) -> Warehouse:
    bounds = Bounds(timedelta(seconds=30), 400 * 10**6, scratch, batch=1000)
    return open_warehouse(f"sqlite:///{path}", bounds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, amount REAL, region TEXT)")
        rows = [(i, i / 2, f"r{i % 3}") for i in range(1, 3001)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    connection.close()
    return path


@pytest.fixture
def warehouse(path: Path, tmp_path: Path) -> Iterator[Warehouse]:
    warehouse = open_at(path, tmp_path)
    yield warehouse
    warehouse.close()


def test_rows_come_in_batches_with_their_kinds(warehouse: Warehouse) -> None:
    rows = warehouse.query("SELECT * FROM orders ORDER BY id")

    assert [column.kind for column in rows.columns] == [Kind.INTEGER, Kind.NUMBER, Kind.TEXT]
    assert [len(batch) for batch in rows.batches()] == [1000, 1000, 1000]
    assert list(warehouse.schema()) == ["orders"]


def test_values_are_bound(warehouse: Warehouse) -> None:
    count = "SELECT count(*) FROM orders WHERE region IN (:regions) AND ':x' <> :text"

    assert warehouse.fetch(count, regions=("r1", "r2"), text="'; DROP TABLE orders; --") == [(2000,)]
    assert warehouse.fetch(count, regions=(), text="") == [(0,)]


@pytest.mark.parametrize("sql", ["DELETE FROM orders", "DROP TABLE orders", "SELECT 1; DELETE FROM orders"])
def test_a_statement_that_writes_is_refused(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseError):
        warehouse.fetch(Query(sql, native=True))
    assert warehouse.fetch("SELECT count(*) FROM orders") == [(3000,)]


def test_errors_name_the_missing_table_or_column(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="ordrs"):
        warehouse.query("SELECT 1 FROM ordrs")


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(WarehouseUnavailableError) as caught:
        open_at(tmp_path / "nowhere" / "warehouse.sqlite", tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_cancel_reaches_the_driver(warehouse: Warehouse) -> None:
    caught: list[BaseException] = []
    begun = threading.Event()

    def fetch() -> None:
        begun.set()
        try:
            warehouse.fetch(Query(SLOW, native=True))
        except WarehouseCancelledError as error:
            caught.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    begun.wait()

    def is_cancelled() -> bool:
        warehouse.cancel()
        return not thread.is_alive()

    wait_until(is_cancelled, seconds=10, what="the end of the query")

    assert caught
