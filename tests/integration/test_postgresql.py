"""PostgreSQL as the warehouse: a real server, and everything that may go wrong with it."""

from __future__ import annotations

import datetime as dt
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.postgresql import PostgreSQL
from harness.wait import wait_until
from reports_worker.content.rows import Kind
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.errors import (
    WarehouseCancelledError,
    WarehouseError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)
from reports_worker.warehouse.open import open_warehouse
from reports_worker.warehouse.warehouse import Query, Warehouse
from tests.needed_tools import need_postgresql

SLOW = "SELECT count(*) FROM generate_series(1, 20000) a, generate_series(1, 100000) b WHERE a * b % 7 = 1"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    need_postgresql()
    # pytest's own folders are closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir="/tmp"))
    server = PostgreSQL(folder).create().start()
    try:
        with server.connect() as owner:
            owner.execute(
                "CREATE TABLE orders (id int, amount numeric(10,2), day date, at timestamptz, region text)"
            )
            owner.execute(
                "INSERT INTO orders SELECT i, (i % 100) + 0.5, date '2026-01-01' + i % 365, "
                "timestamptz '2026-01-01 12:00+02', 'r' || i % 3 FROM generate_series(1, 30000) i"
            )
            owner.execute("CREATE TABLE hidden (secret text)")
            owner.execute("CREATE SEQUENCE numbers")
            owner.execute("CREATE ROLE reader LOGIN PASSWORD 'reading'")
            owner.execute("GRANT SELECT ON orders TO reader")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def open_at(address: str, scratch: Path, *, seconds: float = 30) -> Warehouse:
    bounds = Bounds(dt.timedelta(seconds=seconds), 400 * 10**6, scratch, batch=1000)
    return open_warehouse(address, bounds)


@pytest.fixture
def warehouse(server: PostgreSQL, tmp_path: Path) -> Iterator[Warehouse]:
    warehouse = open_at(server.address(user="reader", password="reading"), tmp_path)
    yield warehouse
    warehouse.close()


def native(sql: str) -> Query:
    return Query(sql, native=True)


def test_rows_come_in_batches_with_their_kinds(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        "SELECT id, amount, day, at, region, amount::double AS number, id > 5 AS late FROM orders ORDER BY id"
    )
    batches = list(rows.batches())

    assert [(column.name, column.kind) for column in rows.columns] == [
        ("id", Kind.INTEGER),
        ("amount", Kind.DECIMAL),
        ("day", Kind.DATE),
        ("at", Kind.TIMESTAMP),
        ("region", Kind.TEXT),
        ("number", Kind.NUMBER),
        ("late", Kind.BOOLEAN),
    ]
    assert [len(batch) for batch in batches] == [1000] * 30
    moment = dt.datetime.fromisoformat("2026-01-01T10:00:00")
    assert batches[0][0] == (1, Decimal("1.50"), dt.date(2026, 1, 2), moment, "r1", 1.5, False)


def test_a_query_of_duckdbs_dialect_is_translated_and_its_values_are_bound(warehouse: Warehouse) -> None:
    query = (
        "SELECT date_trunc('month', day)::date AS month, region, avg(amount) AS mean, "
        "quantile_cont(amount, 0.5) AS middle, count(*) AS orders FROM orders "
        "WHERE region IN (:regions) AND day >= :first AND '100%' <> :text GROUP BY ALL ORDER BY ALL LIMIT 1"
    )
    first = dt.date(2026, 2, 1)

    rows = warehouse.fetch(query, regions=("r1", "r2"), first=first, text="'; DROP TABLE orders; --")

    assert [type(value) for value in rows[0]] == [dt.date, str, float, float, int]
    assert rows[0][:2] == (first, "r1")


def test_no_value_of_several_matches_nothing_and_its_not_everything(warehouse: Warehouse) -> None:
    count = "SELECT count(*) FROM orders WHERE {} IN (:several)"

    assert warehouse.fetch(count.format("id"), several=()) == [(0,)]
    assert warehouse.fetch(count.format("region NOT"), several=()) == [(30000,)]
    assert warehouse.fetch(count.format("id"), several=(1, 2)) == [(2,)]


def test_types_without_a_kind_come_as_text(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        native(
            "SELECT '{\"a\": 1}'::jsonb AS j, ARRAY[1, 2] AS a, interval '1 day' AS i, '\\x01'::bytea AS b"
        )
    )

    assert {column.kind for column in rows.columns} == {Kind.TEXT}
    assert list(rows.batches()) == [[('{"a": 1}', "{1,2}", "1 day", "\\x01")]]


def test_all_queries_of_a_report_see_one_moment(server: PostgreSQL, warehouse: Warehouse) -> None:
    before = warehouse.fetch("SELECT count(*) FROM orders")
    with server.connect() as owner:
        owner.execute("INSERT INTO orders (id) VALUES (-1)")
        try:
            assert warehouse.fetch("SELECT count(*) FROM orders") == before
        finally:
            owner.execute("DELETE FROM orders WHERE id = -1")
    assert warehouse.as_of.tzinfo is not None


def test_the_schema_tells_what_can_be_read(warehouse: Warehouse) -> None:
    schema = warehouse.schema()

    assert list(schema) == ["orders"]
    assert [column.kind for column in schema["orders"]][:2] == [Kind.INTEGER, Kind.DECIMAL]


HOSTILE = [
    "DELETE FROM orders",
    "DROP TABLE orders",
    "CREATE TABLE mine (id int)",
    "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
    "SELECT * INTO mine FROM orders",
    "SELECT 1; DELETE FROM orders",
    "COPY orders TO '/tmp/orders'",
    "COPY orders TO PROGRAM 'cat'",
    "SET default_transaction_read_only = off",
    "SET TRANSACTION READ WRITE",
    "COMMIT",
    "BEGIN",
    "EXPLAIN ANALYZE SELECT 1",
    "CALL pg_sleep(1)",
    "DO $$ BEGIN DELETE FROM orders; END $$",
    "LISTEN orders",
    "VACUUM orders",
    "PREPARE p AS SELECT 1",
    "SELECT nextval('numbers')",
    "SELECT * FROM hidden",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT id FROM orders FOR UPDATE",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_what_does_not_only_read_is_refused(server: PostgreSQL, tmp_path: Path, sql: str) -> None:
    # The owner, so that it is not missing rights that refuse; what those must refuse, the reader tries.
    user = (
        {"user": "reader", "password": "reading"} if "pg_" in sql or "hidden" in sql or "lo_" in sql else {}
    )
    warehouse = open_at(server.address(**user), tmp_path)
    try:
        with pytest.raises(WarehouseError):
            warehouse.fetch(native(sql))
    finally:
        warehouse.close()
    with server.connect() as owner:
        assert owner.execute("SELECT count(*) FROM orders").fetchone() == (30000,)


def test_a_missing_table_and_a_missing_column_are_named(server: PostgreSQL, tmp_path: Path) -> None:
    for sql, named in [("SELECT 1 FROM ordrs", "ordrs"), ("SELECT amout FROM orders", "amout")]:
        warehouse = open_at(server.address(), tmp_path)
        with pytest.raises(WarehouseError, match=named):
            warehouse.fetch(sql)
        warehouse.close()


def test_a_refused_login_and_a_server_that_is_away_are_told_without_host_user_and_password(
    server: PostgreSQL, tmp_path: Path
) -> None:
    addresses = [
        server.address(user="someone", password="wrong-one"),
        server.address(database="elsewhere"),
        server.address().replace(f"Port={server.port}", "Port=1"),
    ]
    for address, word in zip(addresses, ["login", "no such database", "does not answer"], strict=True):
        with pytest.raises(WarehouseUnavailableError, match=word) as caught:
            open_at(address, tmp_path)
        assert not any(
            secret in str(caught.value) for secret in ("someone", "wrong-one", "127.0.0.1", "elsewhere")
        )


def test_cancel_reaches_the_server(server: PostgreSQL, warehouse: Warehouse) -> None:
    outcome = run_aside(lambda: warehouse.fetch(native(SLOW)))
    wait_until(server.running_queries, what="the query running")

    warehouse.cancel()

    assert isinstance(outcome(), WarehouseCancelledError)
    wait_until(lambda: not server.running_queries(), what="nothing left on the server")
    with pytest.raises(WarehouseCancelledError):
        warehouse.fetch("SELECT 1")


def test_a_statement_ends_when_a_report_may_run_no_longer(server: PostgreSQL, tmp_path: Path) -> None:
    warehouse = open_at(server.address(), tmp_path, seconds=0.5)

    with pytest.raises(WarehouseTimeoutError):
        warehouse.fetch(native(SLOW))

    warehouse.close()
    assert server.running_queries() == []


def test_a_client_that_is_killed_leaves_no_query_running(server: PostgreSQL, tmp_path: Path) -> None:
    program = (
        "import sys; from datetime import timedelta; from pathlib import Path\n"
        "from reports_worker.warehouse.engine import Bounds\n"
        "from reports_worker.warehouse.open import open_warehouse\n"
        "from reports_worker.warehouse.warehouse import Query\n"
        "bounds = Bounds(timedelta(seconds=30), 400 * 10**6, Path(sys.argv[2]))\n"
        "open_warehouse(sys.argv[1], bounds).fetch(Query(sys.argv[3], native=True))"
    )
    client = subprocess.Popen(
        [sys.executable, "-c", program, server.address(), str(tmp_path), SLOW], cwd=Path(__file__).parents[2]
    )
    wait_until(server.running_queries, what="the query running")

    client.kill()
    client.wait()

    wait_until(lambda: not server.running_queries(), seconds=15, what="the server missing its client")


def test_a_session_that_is_killed_between_two_batches_is_told_as_lost(
    server: PostgreSQL, warehouse: Warehouse
) -> None:
    batches = warehouse.query("SELECT * FROM orders").batches()
    next(batches)
    with server.connect() as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'background-reports'"
        )

    with pytest.raises(WarehouseUnavailableError, match="lost"):
        list(batches)


def test_a_server_that_stops_between_two_batches_is_told_as_lost(
    server: PostgreSQL, warehouse: Warehouse
) -> None:
    batches = warehouse.query("SELECT * FROM orders").batches()
    next(batches)
    server.stop(signal.SIGQUIT)
    try:
        with pytest.raises(WarehouseUnavailableError, match="lost"):
            list(batches)
    finally:
        server.start()


def run_aside(work: Any) -> Any:
    """Run something in a thread; return what waits for it and hands its result or its error over."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(work())
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def wait() -> Any:
        thread.join(timeout=20)
        return result[0] if result else None

    return wait
