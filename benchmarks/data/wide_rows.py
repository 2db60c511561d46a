"""Rows of eight columns of all kinds, as many as wanted, in a folder that is a warehouse."""

from __future__ import annotations

from pathlib import Path

import duckdb

TABLE = "sold"
_ROWS = """
SELECT
    i AS id,
    'Customer no. ' || (i * 7919 % 100003) AS customer,
    ['Praha', 'Wien', 'Kraków', 'Berlin'][1 + i % 4] AS city,
    CAST((i * 104729 % 1000000) / 100.0 AS DECIMAL(12, 2)) AS amount,
    (i * 31 % 1009) / 1009.0::DOUBLE AS share,
    DATE '2020-01-01' + CAST(i % 2000 AS INTEGER) AS day,
    TIMESTAMP '2020-01-01' + INTERVAL 1 SECOND * (i * 37 % 100000000) AS moment,
    i % 3 = 0 AS is_new
FROM range({count}) AS numbers(i)
"""


def write_rows(folder: Path, count: int) -> Path:
    """Write them, unless they are there; return their folder."""
    place = folder / f"rows-{count}"
    if not place.exists():
        place.mkdir()
        path = str(place / f"{TABLE}.parquet").replace("'", "''")
        duckdb.execute(f"COPY ({_ROWS.format(count=count)}) TO '{path}' (FORMAT parquet)")
    return place
