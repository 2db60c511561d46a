"""DuckDB as the warehouse: its answers, and its isolation."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from harness.wait import wait_until
from reports_worker.content.rows import Kind, WritesParquet
from reports_worker.warehouse.duckdb.engine import DuckDBSession
from reports_worker.warehouse.engine import ReportsProgress
from reports_worker.warehouse.errors import (
    WarehouseBusyError,
    WarehouseCancelledError,
    WarehouseError,
    WarehouseMemoryError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)
from reports_worker.warehouse.warehouse import Query, Warehouse
from tests.unit.reports_worker.warehouse.folders import open_at

SLOW = "SELECT count(*) FROM range(10000000) a, range(1000000) b WHERE hash(a.range + b.range) % 7 = 1"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Parquet and CSV, and beside it a file of DuckDB with the same tables."""
    folder = tmp_path_factory.mktemp("data")
    tables = folder / "tables"
    (tables / "orders").mkdir(parents=True)
    with duckdb.connect(folder / "tables.duckdb") as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT i AS id, ((i % 100) + 0.5)::DECIMAL(10,2) AS amount, "
            "DATE '2026-01-01' + (i % 365)::INT AS day, 'r' || i % 3 AS region FROM range(1, 30001) t(i)"
        )
        connection.execute("CREATE TABLE users AS SELECT i AS id, 'user ' || i AS name FROM range(10) t(i)")
        for part in (0, 1):
            connection.execute(
                f"COPY (FROM orders WHERE id % 2 = {part} ORDER BY id) TO '{tables}/orders/{part}.parquet'"
            )
        connection.execute(f"COPY users TO '{tables}/users.csv' (HEADER)")
    (tables / "_notes.csv").write_text("not a table")
    (tables / ".hidden.csv").write_text("not a table")
    (tables / "README.md").write_text("not a table")
    (folder / "secret.csv").write_text("secret\nstolen")
    return folder


@pytest.fixture(scope="module", params=["tables", "tables.duckdb"])
def warehouse(
    request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """Both warehouses, each opened once: no query may affect the next one."""
    warehouse = open_at(data / request.param, tmp_path_factory.mktemp("scratch"))
    yield warehouse
    warehouse.close()


@pytest.fixture
def scratch(warehouse: Warehouse) -> Path:
    session = warehouse.session
    assert isinstance(session, DuckDBSession)
    return session.bounds.scratch


def listing(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_rows_come_in_batches_with_their_kinds(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        "SELECT id, amount, day, region, amount::DOUBLE AS number, id > 5 AS late, sum(id) OVER () AS total, "
        "TIMESTAMPTZ '2026-01-01 12:00+02' AS at, [1, 2] AS list FROM orders ORDER BY id"
    )
    batches = list(rows.batches())

    assert [column.kind for column in rows.columns] == [
        Kind.INTEGER,
        Kind.DECIMAL,
        Kind.DATE,
        Kind.TEXT,
        Kind.NUMBER,
        Kind.BOOLEAN,
        Kind.INTEGER,
        Kind.TIMESTAMP,
        Kind.TEXT,
    ]
    assert sum(map(len, batches)) == 30000
    first = batches[0][0]
    assert first[:7] == (1, Decimal("1.50"), date(2026, 1, 2), "r1", 1.5, False, 450015000)
    assert (first[7].isoformat(), first[8]) == ("2026-01-01T10:00:00", "[1, 2]")


def test_values_are_bound(warehouse: Warehouse) -> None:
    count = "SELECT count(*) FROM orders WHERE region IN (:regions) AND day >= :first AND '1:2' <> :text;"
    hostile = "'; DROP TABLE orders; --"

    assert warehouse.fetch(count, regions=("r1", hostile), first=date(2026, 1, 1), text=hostile) == [(10000,)]
    assert warehouse.fetch(count, regions=(), first=date(2026, 1, 1), text="") == [(0,)]
    assert warehouse.fetch("SELECT count(*) FROM orders WHERE id NOT IN (:ids)", ids=()) == [(30000,)]


def test_two_queries_can_be_read_in_turn(warehouse: Warehouse) -> None:
    upwards, downwards = "SELECT id FROM orders ORDER BY id", "SELECT id FROM orders ORDER BY id DESC"
    readers = [warehouse.query(sql).batches() for sql in (upwards, downwards, upwards)]

    assert [next(reader)[0] for reader in readers] == [(1,), (30000,), (1,)]
    assert [next(reader)[0] for reader in readers] == [(1001,), (29000,), (1001,)]


def test_rows_are_written_into_a_file_by_the_engine(warehouse: Warehouse, scratch: Path) -> None:
    rows = warehouse.query(
        "SELECT id, sum(id) OVER () AS total FROM orders WHERE id > :least ORDER BY id DESC -- end", least=10
    )
    assert isinstance(rows, WritesParquet)

    assert rows.write_parquet(scratch / "rows.parquet", 25) == 25
    written = duckdb.execute("SELECT * FROM read_parquet(?)", [str(scratch / "rows.parquet")]).fetchall()
    assert written[0] == (30000, 450014945)
    assert len(written) == 25


@pytest.mark.parametrize("wanted", ["", " ORDER BY id", " ORDER BY -id"])
def test_rows_that_the_engine_writes_keep_their_order(wanted: str, tmp_path: Path) -> None:
    numbers, scratch = tmp_path / "numbers", tmp_path / "scratch"
    numbers.mkdir()
    scratch.mkdir()
    duckdb.execute(f"COPY (FROM range(260000) AS numbers(id)) TO '{numbers}/numbers.parquet'")
    warehouse = open_at(numbers, scratch)

    rows = warehouse.query(f"FROM numbers{wanted}")
    assert isinstance(rows, WritesParquet)
    assert rows.write_parquet(scratch / "rows.parquet", 10**7) == 260_000

    found = duckdb.execute(f"FROM '{scratch}/rows.parquet'").fetchall()
    assert found == sorted(found, reverse=wanted.endswith("-id"))
    warehouse.close()


def test_the_schema_tells_the_tables_of_folder_and_file(warehouse: Warehouse) -> None:
    schema = warehouse.schema()

    assert list(schema) == ["orders", "users"]
    assert [(column.name, column.kind) for column in schema["users"]] == [
        ("id", Kind.INTEGER),
        ("name", Kind.TEXT),
    ]


def test_errors_name_the_missing_table_or_column(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="ordrs"):
        warehouse.query("SELECT 1 FROM ordrs")
    with pytest.raises(WarehouseError, match="amout"):
        warehouse.query("SELECT amout FROM orders")
    with pytest.raises(WarehouseError, match="two columns named 'id'"):
        warehouse.query("SELECT id, id FROM orders")
    with pytest.raises(WarehouseError, match="Could not convert"):
        warehouse.fetch("SELECT region::INT FROM orders")


@pytest.mark.parametrize(
    ("number", "type_"), [("7", "BIGINT"), ("12345678901234567890123456789012345678", "DECIMAL(38,0)")]
)
def test_wide_whole_numbers_are_exact_in_rows_and_in_a_file(
    warehouse: Warehouse, scratch: Path, number: str, type_: str
) -> None:
    rows = warehouse.query(f"SELECT {number}::HUGEINT AS n, NULL::UHUGEINT AS m")
    assert isinstance(rows, WritesParquet)

    assert list(rows.batches()) == [[(int(number), None)]]
    assert {column.kind for column in rows.columns} == {Kind.INTEGER}
    assert rows.write_parquet(scratch / "wide.parquet", 10) == 1
    described = duckdb.execute(f"DESCRIBE FROM read_parquet('{scratch}/wide.parquet')").fetchall()
    assert [row[1] for row in described] == [type_, type_]
    found = duckdb.execute(f"FROM read_parquet('{scratch}/wide.parquet')").fetchone()
    assert found is not None
    assert (str(found[0]), found[1]) == (number, None)


def test_a_number_that_is_too_wide_for_files_is_reported(warehouse: Warehouse, scratch: Path) -> None:
    rows = warehouse.query("SELECT 170141183460469231731687303715884105727::HUGEINT AS n")
    assert isinstance(rows, WritesParquet)

    with pytest.raises(WarehouseError, match="cannot execute the query: Conversion Error"):
        rows.write_parquet(scratch / "wide.parquet", 10)


def serialized(sql: str) -> str:
    row = duckdb.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    assert row
    return str(row[0]).replace("'", "''")


HOSTILE = [
    "COPY (SELECT 1) TO '{data}/tables/stolen.csv'",
    "COPY users TO '{scratch}/stolen.csv'",
    "WITH stolen AS (COPY (SELECT 1) TO '{data}/tables/stolen.csv') SELECT 1",
    "SELECT 1 WHERE EXISTS (WITH x AS (COPY (SELECT 1) TO '{data}/tables/stolen.csv') SELECT 1)",
    "WITH gone AS (DELETE FROM users RETURNING id) SELECT * FROM gone",
    "WITH new AS (INSERT INTO users VALUES (1, 'x') RETURNING id) SELECT * FROM new",
    "FROM json_execute_serialized_sql('{copying}')",
    "SELECT * FROM (SELECT * FROM system.main.json_execute_serialized_sql('{copying}'))",
    "FROM query('SELECT * FROM json_execute_serialized_sql(''...'')')",
    "ATTACH '{data}/tables/stolen.duckdb'",
    "EXPORT DATABASE '{data}/tables/stolen'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '9GB'",
    "RESET lock_configuration",
    "SET VARIABLE a = 1",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "CHECKPOINT",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE MACRO mine() AS 1",
    "INSERT INTO users VALUES (1, 'x')",
    "DROP TABLE users",
    "SELECT 1; DROP TABLE users",
    "PIVOT orders ON region USING count(*)",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{data}/tables/users.csv')",
    "SELECT * FROM read_csv('{data}/secret.csv')",
    "SELECT * FROM read_csv(['{data}/tables/users.csv', '{data}/secret.csv'])",
    "SELECT * FROM '{data}/secret.csv'",
    "SELECT * FROM '{data}/tables/../secret.csv'",
    'SELECT * FROM "{data}/secret.csv"',
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('{data}/secret.csv')",
    "SELECT * FROM parquet_metadata('{data}/tables/orders/0.parquet')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM which_secret('s3://x', 's3')",
    "SELECT * FROM 'http://127.0.0.1:1/x.csv'",
    "SELECT getenv('HOME')",
    "SELECT * FROM enable_logging('QueryLog')",
    "SELECT * FROM warehouse",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_statement_that_does_more_than_read_the_warehouse_is_refused(
    warehouse: Warehouse, data: Path, scratch: Path, sql: str
) -> None:
    copying = serialized(f"WITH x AS (COPY (SELECT 1) TO '{data}/tables/stolen.csv') SELECT 1")
    before = listing(data)

    with pytest.raises(WarehouseError):
        warehouse.fetch(Query(sql.format(data=data, scratch=scratch, copying=copying), native=True))

    assert listing(data) == before
    assert not (scratch / "stolen.csv").exists()


def test_a_python_variable_does_not_hide_a_table(warehouse: Warehouse) -> None:
    frame = duckdb.sql("SELECT 1")
    assert frame is not None
    with pytest.raises(WarehouseError, match="frame"):
        warehouse.fetch("SELECT * FROM frame")


def test_a_writer_makes_the_warehouse_busy(tmp_path: Path) -> None:
    path = tmp_path / "held.duckdb"
    program = f"import duckdb; c = duckdb.connect({str(path)!r}); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "held\n"
        with pytest.raises(WarehouseBusyError) as caught:
            open_at(path, tmp_path)
        writer.communicate("\n")

    assert str(path) not in str(caught.value)
    open_at(path, tmp_path).close()


def test_a_warehouse_that_is_not_there_or_damaged_is_unavailable(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"x" * 20000)
    for path in (tmp_path / "nowhere", damaged):
        with pytest.raises(WarehouseUnavailableError) as caught:
            open_at(path, tmp_path)
        assert str(tmp_path) not in str(caught.value)


def test_cancel_reaches_the_engine(data: Path, tmp_path: Path) -> None:
    warehouse = open_at(data / "tables", tmp_path)
    caught: list[BaseException] = []

    def fetch() -> None:
        try:
            warehouse.fetch(SLOW)
        except WarehouseCancelledError as error:
            caught.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    session = warehouse.session
    assert isinstance(session, ReportsProgress)
    wait_until(lambda: session.progress() is not None, what="the query running")
    warehouse.cancel()
    thread.join(timeout=10)

    assert caught
    with pytest.raises(WarehouseCancelledError):
        warehouse.fetch("SELECT 1")
    warehouse.close()


def test_a_query_ends_when_a_report_may_run_no_longer(data: Path, tmp_path: Path) -> None:
    warehouse = open_at(data / "tables", tmp_path, seconds=0.3)
    with pytest.raises(WarehouseTimeoutError):
        warehouse.fetch(SLOW)
    warehouse.close()


def test_a_query_that_needs_too_much_memory_is_reported(data: Path, tmp_path: Path) -> None:
    warehouse = open_at(data / "tables", tmp_path, memory=40 * 10**6)
    with pytest.raises(WarehouseMemoryError, match="memory"):
        warehouse.fetch("SELECT list(a.id) FROM orders a, range(1000) GROUP BY a.id % 2")
    warehouse.close()
