"""Copies demo data into a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from reports_worker.lib.extras import write_install_command
from reports_worker.warehouse.address import parse_address

from .generator import DemoDataError, ReportProgress
from .rows import TABLES

if TYPE_CHECKING:
    import psycopg

BATCH_ROWS = 50_000
TYPES = {
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "VARCHAR": "text",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}
# An index for each column by which the built-in types select.
INDEXES = {
    "orders": ("order_id", "ordered_at"),
    "order_lines": ("order_id",),
    "users": ("user_id", "signed_up_at"),
    "sign_ins": ("signed_in_at", "user_id"),
    "stock": ("counted_on",),
}


def load(folder: Path, url: str, *, report: ReportProgress = lambda *_: None) -> None:
    """Create the tables, which must not exist yet, in one transaction; raise DemoDataError."""
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DemoDataError(f"PostgreSQL needs a driver: {write_install_command('postgres')}") from error
    options = _read_address(url)
    try:
        with psycopg.connect(**options) as target, duckdb.connect() as source:
            for table in TABLES:
                _copy(source, folder / f"{table}.parquet", target)
                report(table, 100.0)
        with psycopg.connect(**options, autocommit=True) as target:
            target.execute("ANALYZE")
    except psycopg.errors.DuplicateTable as error:
        raise DemoDataError(
            f"The database already has a table of this name: {error.diag.message_primary}."
        ) from error
    except psycopg.OperationalError as error:
        raise DemoDataError("The database does not answer, or refuses the login.") from error
    except (psycopg.Error, duckdb.Error) as error:
        raise DemoDataError(f"The tables cannot be copied: {error}") from error


def _read_address(url: str) -> dict[str, Any]:
    try:
        address = parse_address(url)
    except ValueError as error:
        raise DemoDataError(f"The database's address is not valid: {error}.") from error
    if address.engine != "postgresql":
        raise DemoDataError(
            "The tables can be copied only into PostgreSQL: give a URL such as postgresql://user@host/name."
        )
    return {"connect_timeout": 10, **address.options}


def _copy(source: duckdb.DuckDBPyConnection, path: Path, target: psycopg.Connection[Any]) -> None:
    types = source.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    columns = ", ".join(f"{name} {TYPES.get(kind, 'numeric(12, 2)')} NOT NULL" for name, kind, *_ in types)
    table = path.stem
    target.execute(f"CREATE TABLE {table} ({columns})".encode())
    rows = source.execute("SELECT * FROM read_parquet(?)", [str(path)])
    with target.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
        while batch := rows.fetchmany(BATCH_ROWS):
            for row in batch:
                copy.write_row(row)
    for column in INDEXES.get(table, ()):
        target.execute(f"CREATE INDEX ON {table} ({column})".encode())
