"""Runs the statements of a report without us: by DuckDB, or by psycopg.

Arguments: the warehouse, a folder for what is spilled, and the file with the statements and their values.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from reports_worker.warehouse.placeholders import Style, bind

from .reports_ours import MEMORY
from .telling import tell

_DUCKDB = Style(mark=lambda name: f"${name}")
_PSYCOPG = Style(mark=lambda name: f"%({name})s", escape=lambda text: text.replace("%", "%%"), arrays=True)
Run = Callable[[str, Mapping[str, Any]], Any]


def open_duckdb(folder: Path, scratch: str) -> Run:
    """With the memory that ours has, and all cores as ours."""
    config: dict[str, Any] = {"memory_limit": f"{MEMORY // 2}B", "temp_directory": scratch}
    connection = duckdb.connect(":memory:", config=config)
    for path in folder.glob("*.parquet"):
        connection.execute(f"CREATE VIEW {path.stem} AS FROM '{path}'")

    def run(sql: str, values: Mapping[str, Any]) -> object:
        return connection.execute(*bind(sql, values, dialect="duckdb", style=_DUCKDB)).fetchall()

    return run


def open_psycopg(address: str) -> Run:
    connection = psycopg.connect(address)

    def run(sql: str, values: Mapping[str, Any]) -> object:
        text, bound = bind(sql, values, dialect="postgres", style=_PSYCOPG)
        return connection.execute(text.encode(), bound).fetchall()

    return run


def main(address: str, scratch: str, statements: str) -> None:
    run = open_psycopg(address) if "://" in address else open_duckdb(Path(address), scratch)
    asked = pickle.loads(Path(statements).read_bytes())  # noqa: S301 - written by us a moment ago
    begin = time.monotonic()
    for sql, values in asked:
        run(sql, values)
    tell(time.monotonic() - begin)


if __name__ == "__main__":
    main(*sys.argv[1:])
