"""CSV of each table: RFC 4180 in UTF-8 without a byte order mark, names of columns on the first line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from reports_worker.lib.atomic_file import atomic_write
from reports_worker.lib.sql import quote_name, quote_text

from .document import Advance, Document, SpooledTable, WrittenFile
from .parquet_database import Stored, describe_parquet, from_parquet, run_telling

MEDIA_TYPE = "text/csv; charset=utf-8"
# A spreadsheet reads a text that begins with one of these as a formula.
_WIDE_STARTS = "\uff1d\uff0b\uff0d\uff20"
FORMULA_STARTS = f"=+-@\t\r\n{_WIDE_STARTS}"


def write_csv(document: Document, folder: Path, advance: Advance) -> Iterator[WrittenFile]:
    """Write a file for each table. A text that would be a formula gets a leading apostrophe."""
    for table in document.tables:
        begin = monotonic()
        path = folder / f"{table.name}.csv"
        with atomic_write(path) as aside:
            _write(table, aside, advance)
        yield WrittenFile(
            "csv",
            MEDIA_TYPE,
            monotonic() - begin,
            path=path,
            table=table.name,
            rows_written=table.rows,
            rows_expected=table.rows_expected,
            cut=table.sentence,
        )


def _write(table: SpooledTable, path: Path, advance: Advance) -> None:
    cells = ", ".join(map(_guard, describe_parquet(table.database, table.path)))
    run_telling(
        table.database,
        f"COPY (SELECT {cells} FROM {from_parquet(table.path)}) TO {quote_text(str(path))} "
        "(FORMAT csv, HEADER, NEW_LINE '\\r\\n')",
        rows=table.rows,
        advance=advance,
    )


def _guard(column: Stored) -> str:
    """Write the cell of a column; without IN, which DuckDB turns into a join that loses the order of rows."""
    cell, title = quote_name(column.name), quote_name(_guard_text(column.name))
    if not column.is_text:
        return f"{cell} AS {title}"
    text = cell if column.type == "VARCHAR" else f"{cell}::VARCHAR"
    begins = f"regexp_matches({text}, {quote_text(f'^[{re.escape(FORMULA_STARTS)}]')})"
    # Most texts sort between the characters, and a comparison is cheaper than a match.
    harmless = f"{text} >= 'A' AND {text} < {quote_text(min(_WIDE_STARTS))}"
    return f"CASE WHEN {harmless} THEN {text} WHEN {begins} THEN '''' || {text} ELSE {text} END AS {title}"


def _guard_text(text: str) -> str:
    return f"'{text}" if text.startswith(tuple(FORMULA_STARTS)) else text
