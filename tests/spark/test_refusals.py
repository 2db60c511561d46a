"""A report only reads, and only its warehouse: what Spark is never sent, and what it refuses itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql.connect.session import SparkSession

from reports_worker.warehouse.errors import WarehouseError
from reports_worker.warehouse.warehouse import Query, Warehouse
from tests.spark.cluster import Cluster
from tests.spark.conftest import ORDERS, Open

HOSTILE = [
    "INSERT INTO orders SELECT * FROM orders",
    "FROM orders INSERT INTO copied SELECT *",
    "WITH a AS (SELECT 1) INSERT INTO numbers SELECT * FROM a",
    "CREATE TABLE written AS SELECT 1 AS id",
    "CREATE OR REPLACE TEMPORARY VIEW orders AS SELECT 1 AS id",
    "DROP TABLE numbers",
    "TRUNCATE TABLE numbers",
    "SET spark.sql.runSQLOnFiles = true",
    "RESET",
    "USE default",
    "ADD JAR '/tmp/x.jar'",
    "CACHE TABLE orders",
    "REFRESH TABLE orders",
    "EXPLAIN SELECT 1",
    "LOAD DATA INPATH '/etc/passwd' INTO TABLE numbers",
    "EXECUTE IMMEDIATE 'DROP TABLE numbers'",
    "BEGIN DROP TABLE numbers; END",
    "SELECT 1; DROP TABLE numbers",
    "SELECT * FROM text.`/etc/passwd`",
    "SELECT * FROM parquet.`{outside}`",
    "SELECT * FROM IDENTIFIER('text.`/etc/passwd`')",
    "SELECT * FROM orders, LATERAL (SELECT * FROM text.`/etc/passwd`)",
    "SELECT TRANSFORM(region) USING 'cat /etc/passwd' AS (line) FROM orders",
    "FROM orders MAP region USING 'cat /etc/passwd' AS line",
    "SELECT reflect('java.lang.System', 'getenv', 'HOME')",
    "SELECT `java_method`('java.lang.System', 'getenv', 'HOME')",
    "SELECT try_reflect('java.lang.System', 'getenv', 'HOME')",
    "SELECT 1 -- \\\n, reflect('java.lang.System', 'getenv', 'HOME')",
    "SELECT r'\\', reflect('java.lang.System', 'getenv', 'HOME'), '\\''",
    "SELECT ${{env:HOME}}",
]


@pytest.fixture(scope="module", params=["folder", "database"])
def either(request: pytest.FixtureRequest, open_at: Open, demo: Path, cluster_database: str) -> Warehouse:
    """A warehouse of each form."""
    return open_at({"folder": f"folder={demo}", "database": f"database={cluster_database}"}[request.param])


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_hostile_statement_is_refused(sql: str, either: Warehouse, demo: Path) -> None:
    with pytest.raises(WarehouseError):
        either.fetch(Query(sql.format(outside=demo / "users.parquet"), native=True))


def test_a_folder_hides_the_tables_of_the_server(shared: Warehouse, cluster_database: str) -> None:
    assert cluster_database == "shop"
    for name in ("shop.numbers", "spark_catalog.shop.numbers", "numbers"):
        with pytest.raises(WarehouseError, match="no table"):
            shared.fetch(Query(f"SELECT * FROM {name}", native=True))  # noqa: S608 - names from above


def test_spark_itself_takes_no_path_for_a_table(shared: Warehouse) -> None:
    """Even if such a query came past our own check."""
    spark: SparkSession = shared.session._spark  # type: ignore[attr-defined]

    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql("SELECT * FROM text.`/etc/passwd`").collect()


def test_a_text_that_looks_like_a_setting_stays_text(shared: Warehouse) -> None:
    assert shared.fetch(Query("SELECT '${env:HOME}'", native=True)) == [("${env:HOME}",)]


def test_nothing_was_changed(cluster: Cluster, shared: Warehouse, cluster_database: str) -> None:
    spark = SparkSession(cluster.server.address)
    try:
        tables = [table.name for table in spark.catalog.listTables(cluster_database)]
        assert tables == ["numbers"]
        assert spark.table(f"{cluster_database}.numbers").count() == 10
    finally:
        spark.stop()
    assert shared.fetch("SELECT COUNT(*) FROM orders") == [(ORDERS,)]
