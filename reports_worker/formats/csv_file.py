"""CSV of each table: RFC 4180 in UTF-8 without a byte order mark, names of columns on the first line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import duckdb

from .aside import written_aside
from .database import open_database, quote_name, quote_text, run_telling
from .document import Advance, Document, SpooledTable, WrittenFile

MEDIA_TYPE = "text/csv; charset=utf-8"
# A spreadsheet takes a text for a formula that begins with one of these; the last are wide forms of the first.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
_PLAIN = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
)
_PLAIN_TYPES = (
    *_PLAIN,
    "FLOAT",
    "DOUBLE",
    "BOOLEAN",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE",
)


def write_csv(document: Document, folder: Path, advance: Advance) -> Iterator[WrittenFile]:
    """Write a file for each table. A text that would be a formula gets an apostrophe before it."""
    for table in document.tables:
        begin = monotonic()
        path = folder / f"{table.name}.csv"
        with written_aside(path) as aside, open_database(folder, table.path.parent) as database:
            _write(database, table, aside, advance)
        yield WrittenFile(
            path,
            "csv",
            MEDIA_TYPE,
            monotonic() - begin,
            table=table.name,
            rows_written=table.rows,
            rows_expected=table.rows_expected,
            cut=table.sentence,
        )


def _write(database: duckdb.DuckDBPyConnection, table: SpooledTable, path: Path, advance: Advance) -> None:
    source = f"read_parquet({quote_text(str(table.path))})"
    types = database.execute(f"DESCRIBE FROM {source}").fetchall()
    cells = ", ".join(_guard(name, type_) for name, type_, *_ in types)
    run_telling(
        database,
        f"COPY (SELECT {cells} FROM {source}) TO {quote_text(str(path))} "
        "(FORMAT csv, HEADER, NEW_LINE '\\r\\n')",
        rows=table.rows,
        advance=advance,
    )


def _guard(name: str, type_: str) -> str:
    """Write the cell of a column: what is no number, truth value or time is text."""
    cell, title = quote_name(name), quote_name(_guard_text(name))
    if type_ in _PLAIN_TYPES or type_.startswith("DECIMAL"):
        return f"{cell} AS {title}"
    starts = ", ".join(str(ord(sign)) for sign in FORMULA_STARTS)
    text = cell if type_ == "VARCHAR" else f"{cell}::VARCHAR"
    return f"CASE WHEN unicode({text}) IN ({starts}) THEN '''' || {text} ELSE {text} END AS {title}"


def _guard_text(text: str) -> str:
    return f"'{text}" if text.startswith(tuple(FORMULA_STARTS)) else text
