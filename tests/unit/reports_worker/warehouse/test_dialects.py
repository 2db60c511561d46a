"""Translation of queries from DuckDB's dialect, where sqlglot alone would be wrong."""

from __future__ import annotations

import pytest

from reports_worker.warehouse.dialects import check_reads, translate
from reports_worker.warehouse.errors import WarehouseError
from reports_worker.warehouse.warehouse import Query

GOLDEN = [
    ("SELECT a, sum(b) AS s FROM t GROUP BY ALL", {
        "postgres": "SELECT a, SUM(b) AS s FROM t GROUP BY 1",
        "spark": "SELECT a, SUM(b) AS s FROM t GROUP BY 1",
    }),
    ("SELECT sum(b) AS s FROM t GROUP BY ALL", {
        "postgres": "SELECT SUM(b) AS s FROM t",
        "spark": "SELECT SUM(b) AS s FROM t",
    }),
    ("SELECT a, (SELECT max(c) FROM u) AS m, sum(b) + 1 FROM t GROUP BY ALL", {
        "postgres": "SELECT a, (SELECT MAX(c) FROM u) AS m, SUM(b) + 1 FROM t GROUP BY 1, 2",
        "spark": "SELECT a, (SELECT MAX(c) FROM u) AS m, SUM(b) + 1 FROM t GROUP BY 1, 2",
    }),
    ("SELECT a, b FROM t ORDER BY ALL DESC", {
        "postgres": "SELECT a, b FROM t ORDER BY 1 DESC NULLS LAST, 2 DESC NULLS LAST",
        "spark": "SELECT a, b FROM t ORDER BY 1 DESC, 2 DESC",
    }),
    ("SELECT quantile_cont(a, 0.5) AS m FROM t", {
        "postgres": "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) AS m FROM t",
        "spark": "SELECT PERCENTILE(a, 0.5) AS m FROM t",
    }),
    ("SELECT sum(a) / count(*) AS r, a // b AS q FROM t", {
        "postgres": "SELECT CAST(SUM(a) AS DOUBLE PRECISION) / COUNT(*) AS r, DIV(a, b) AS q FROM t",
        "spark": "SELECT CAST(SUM(a) AS DOUBLE) / COUNT(*) AS r, a DIV b AS q FROM t",
    }),
    ("SELECT avg(a) AS m, avg(a) FILTER (WHERE b) AS f, avg(a) OVER (PARTITION BY b) AS w FROM t", {
        "postgres": "SELECT CAST(AVG(a) AS DOUBLE PRECISION) AS m, "
        "CAST(AVG(a) FILTER(WHERE b) AS DOUBLE PRECISION) AS f, "
        "CAST(AVG(a) OVER (PARTITION BY b) AS DOUBLE PRECISION) AS w FROM t",
        "spark": "SELECT CAST(AVG(a) AS DOUBLE) AS m, CAST(AVG(a) FILTER(WHERE b) AS DOUBLE) AS f, "
        "CAST(AVG(a) OVER (PARTITION BY b) AS DOUBLE) AS w FROM t",
    }),
    ("SELECT date_trunc('month', d) AS m, date_trunc('week', d)::DATE AS w FROM t", {
        "postgres": "SELECT CAST(DATE_TRUNC('MONTH', d) AS TIMESTAMP) AS m, "
        "CAST(DATE_TRUNC('WEEK', d) AS DATE) AS w FROM t",
        "spark": "SELECT CAST(DATE_TRUNC('MONTH', d) AS TIMESTAMP) AS m, "
        "CAST(DATE_TRUNC('WEEK', d) AS DATE) AS w FROM t",
    }),
    ("SELECT round(a / b, 2) AS r FROM t", {
        "postgres": "SELECT ROUND(CAST(CAST(a AS DOUBLE PRECISION) / b AS DECIMAL), 2) AS r FROM t",
        "spark": "SELECT ROUND(CAST(a AS DOUBLE) / b, 2) AS r FROM t",
    }),
    ("SELECT d + to_days(n) AS a, d + INTERVAL (n) MONTH AS b, d - INTERVAL 3 DAY AS c FROM t", {
        "postgres": "SELECT d + (n) * INTERVAL '1 DAY' AS a, d + (n) * INTERVAL '1 MONTH' AS b, "
        "d - INTERVAL '3 DAY' AS c FROM t",
        "spark": "SELECT d + (n) * INTERVAL '1' DAY AS a, d + (n) * INTERVAL '1' MONTH AS b, "
        "d - INTERVAL '3' DAY AS c FROM t",
    }),
    ("SELECT make_date(2026, 1, 31) AS d, strftime(d, '%Y-%m') AS m", {
        "postgres": "SELECT MAKE_DATE(2026, 1, 31) AS d, TO_CHAR(d, 'YYYY-MM') AS m",
        "spark": "SELECT MAKE_DATE(2026, 1, 31) AS d, DATE_FORMAT(d, 'yyyy-MM') AS m",
    }),
    ("SELECT a FROM t WHERE b IN (:several) AND d >= :first + INTERVAL 1 DAY LIMIT :most", {
        "postgres": "SELECT a FROM t WHERE b IN (:several) AND d >= :first + INTERVAL '1 DAY' LIMIT :most",
        "spark": "SELECT a FROM t WHERE b IN (:several) AND d >= :first + INTERVAL '1' DAY LIMIT :most",
    }),
]  # fmt: skip


@pytest.mark.parametrize("dialect", ["postgres", "spark"])
@pytest.mark.parametrize(("sql", "written"), GOLDEN)
def test_a_query_means_the_same_elsewhere(sql: str, written: dict[str, str], dialect: str) -> None:
    assert translate(sql, dialect) == written[dialect]


def test_duckdb_gets_the_text_as_it_stands() -> None:
    sql = "select a,b from t -- comment"

    assert translate(sql, "duckdb") == sql
    assert Query(sql, native=True).text_for("postgres") == sql
    assert Query(sql, overrides={"spark": "other"}).text_for("spark") == "other"


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT *, sum(a) FROM t GROUP BY ALL", "name the columns"),
        ("SELECT FROM WHERE", "cannot be read"),
        ("SELECT a FROM t; SELECT 1", "one statement"),
    ],
)
def test_a_query_that_cannot_be_translated_fails_with_the_reason(sql: str, says: str) -> None:
    with pytest.raises(WarehouseError, match=says):
        translate(sql, "postgres")


def test_a_function_that_an_engine_lacks_asks_for_an_override() -> None:
    with pytest.raises(WarehouseError, match="overrides"):
        translate("SELECT quantile_cont(a, 0.5) FROM t", "mysql")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "DROP TABLE t",
        "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x",
        "COMMIT",
        "VACUUM",
    ],
)
def test_a_statement_that_writes_is_refused(sql: str) -> None:
    with pytest.raises(WarehouseError, match="only read"):
        check_reads(sql, "postgres")
    check_reads("WITH x AS (SELECT 1) SELECT * FROM x UNION SELECT 2", "postgres")
