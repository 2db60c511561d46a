"""Queries as they are sent to Spark; tests/spark has the refused queries, on a real cluster."""

from __future__ import annotations

import pytest

from reports_worker.warehouse.errors import WarehouseError
from reports_worker.warehouse.spark.queries import check_query


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        (
            "select region, sum(total) from orders where day < :day group by 1 order by 2 desc limit 5",
            "SELECT region, SUM(total) FROM orders WHERE day < :day GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
        ),
        (
            "WITH late AS (SELECT 1 AS a) SELECT * FROM late",
            "WITH late AS (SELECT 1 AS a) SELECT * FROM late",
        ),
        (
            "WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM a) SELECT (SELECT MAX(x) FROM a) FROM b",
            "WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM a) SELECT (SELECT MAX(x) FROM a) FROM b",
        ),
        ("SELECT 1 -- to the end \\\n /* \n, reflect('x')\n -- */", "SELECT 1"),
        ("SELECT /*+ BROADCAST(o) */ a FROM orders AS o", "SELECT /*+ BROADCAST(o) */ a FROM orders AS o"),
        (
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM orders",
            "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) FROM orders",
        ),
    ],
)
def test_a_query_is_generated_from_its_tree(sql: str, sent: str) -> None:
    assert check_query(sql, {"orders"}) == sent


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "DROP TABLE orders",
        "SELECT 1; SELECT 2",
        "SELECT * FROM (DROP TABLE orders)",
        "SELECT a.b.reflect(1)",
        "SELECT transform(a) USING 'x' FROM orders",
        "WITH a AS (SELECT * FROM text.`/etc/passwd`) SELECT * FROM a",
        "SELECT (SELECT max(id) FROM other) FROM orders",
        "SELECT * FROM other, (WITH other AS (SELECT 1) SELECT * FROM other)",
        "WITH a AS (SELECT * FROM other), other AS (SELECT 1) SELECT * FROM a",
        "WITH other AS (SELECT * FROM other) SELECT * FROM other",
    ],
)
def test_a_statement_that_does_more_than_read_tables_is_refused(sql: str) -> None:
    with pytest.raises(WarehouseError):
        check_query(sql, {"orders"})
