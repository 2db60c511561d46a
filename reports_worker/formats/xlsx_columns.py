"""How the columns of a table become columns of a sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reports_worker.content.rows import Column
from reports_worker.lib.sql import quote_name
from reports_worker.lib.valid_text import REPLACEMENT

from .document import SpooledTable
from .parquet_database import Stored, from_parquet

SHEET_COLUMNS = 16_384
LONGEST_TEXT = 32_767
GREATEST_INTEGER = 2**53
WIDEST_COLUMN = 60
# Excel counts days from here; before March 1900 it counts a day that did not exist.
_DAY_ZERO = "DATE '1899-12-30'"
_FIRST_DATE, _LAST_DATE = "DATE '1900-03-01'", "DATE '9999-12-31'"
# Characters that XML forbids; Excel has an escape for other control characters.
_NOT_IN_XML = dict.fromkeys((0, 0xFFFE, 0xFFFF), REPLACEMENT)
_NUMBER_FORMATS = {
    "integer": "0",
    "date": "yyyy-mm-dd",
    "timestamp": "yyyy-mm-dd hh:mm:ss",
}


@dataclass
class Written:
    """The sheets of a table, and what they leave out."""

    table: SpooledTable
    sheets: list[str] = field(default_factory=list)
    cut_texts: int = 0
    cut_columns: int = 0

    @property
    def sentence(self) -> str | None:
        """Why the sheets are incomplete; None if they are complete."""
        parts = [self.table.sentence] if self.table.sentence else []
        if self.cut_texts:
            parts.append(
                f"{self.cut_texts:,} texts are longer than the {LONGEST_TEXT:,} characters of a cell and are "
                "cut; CSV and Parquet have them whole."
            )
        if self.cut_columns:
            parts.append(
                f"{self.cut_columns:,} columns beyond the {SHEET_COLUMNS:,} of a sheet are left out; CSV and "
                "Parquet have them."
            )
        return " ".join(parts) or None


@dataclass
class SheetColumn:
    """A column of a sheet: the SQL that selects its values, and how its cells are written."""

    title: str
    select: str
    number_format: str | None = None
    is_text: bool = False
    is_boolean: bool = False
    is_careful: bool = False
    width: int = 12


def choose_writer(sheet: Worksheet, column: SheetColumn) -> Any:
    if column.is_boolean:
        return sheet.write_boolean
    if column.is_text and not column.is_careful:
        return sheet.write_string
    if column.is_text:
        return lambda line, place, text: write_text(sheet, line, place, text)
    if column.is_careful:
        return lambda line, place, number: _write_integer(sheet, line, place, number)
    return sheet.write_number


def write_text(sheet: Worksheet, line: int, place: int, text: str, style: Format | None = None) -> None:
    text = text.translate(_NOT_IN_XML)
    if text.startswith("<r>") and text.endswith("</r>"):
        # The library would read this as its own markup.
        cut = text[: LONGEST_TEXT // 2]
        sheet.write_rich_string(line, place, "<", "r", cut[2:], *([style] if style else []))
    else:
        sheet.write_string(line, place, text, style)


def _write_integer(sheet: Worksheet, line: int, place: int, number: int) -> None:
    if -GREATEST_INTEGER <= number <= GREATEST_INTEGER:
        sheet.write_number(line, place, number)
    else:
        sheet.write_string(line, place, str(number))


def choose_columns(
    database: duckdb.DuckDBPyConnection, table: SpooledTable, stored: Sequence[Stored], written: Written
) -> list[SheetColumn]:
    """Choose how each column is written, by its values."""
    return [
        _choose_column(database, table, column, described, written)
        for column, described in zip(stored, table.columns, strict=False)
    ]


def _choose_column(
    database: duckdb.DuckDBPyConnection,
    table: SpooledTable,
    stored: Stored,
    described: Column,
    written: Written,
) -> SheetColumn:
    cell, title = quote_name(stored.name), described.heading
    width = min(max(12, len(title) + 2), WIDEST_COLUMN)

    def find(sql: str) -> tuple[Any, ...]:
        query = f"SELECT {sql} FROM {from_parquet(table.path)}"
        return database.execute(query).fetchone() or ()

    if stored.type == "BOOLEAN":
        return SheetColumn(title, cell, is_boolean=True, width=width)
    if stored.type == "DATE" or stored.type.startswith("TIMESTAMP"):
        return _choose_time(stored, cell, title, find)
    if stored.is_float:
        return SheetColumn(title, f"CASE WHEN isfinite({cell}) THEN {cell} END", width=width)
    if stored.scale:
        number_format = "0." + "0" * min(stored.scale, 10)
        # Through text, since DuckDB's cast to a double is sometimes wrong in the last digit.
        return SheetColumn(title, f"{cell}::VARCHAR::DOUBLE", number_format, width=width)
    if not stored.is_text and stored.type != "TIME":
        select = f"{cell}::HUGEINT" if stored.scale == 0 else cell
        return SheetColumn(title, select, _NUMBER_FORMATS["integer"], is_careful=stored.is_wide, width=width)
    text = f"{cell}::VARCHAR"
    units = f"(length({text}) + length(regexp_replace({text}, '[^\\x{{10000}}-\\x{{10FFFF}}]', '', 'g')))"
    longest, marked = find(
        f"coalesce(max(strlen({text})), 0), "
        f"coalesce(bool_or(regexp_matches({text}, '[\\x00\\x{{FFFE}}\\x{{FFFF}}]')"
        f" OR starts_with({text}, '<r>')), false)"
    )
    if longest > LONGEST_TEXT:
        (count,) = find(f"count(*) FILTER (strlen({text}) > {LONGEST_TEXT} AND {units} > {LONGEST_TEXT})")
        written.cut_texts += count
    return SheetColumn(
        title, text, is_text=True, is_careful=marked, width=max(width, min(longest + 2, WIDEST_COLUMN))
    )


def _choose_time(
    stored: Stored, cell: str, title: str, find: Callable[[str], tuple[Any, ...]]
) -> SheetColumn:
    """Write days as numbers if Excel knows all of them, else write the column as text."""
    time = f"timezone('UTC', {cell})" if stored.has_zone else cell
    (fits,) = find(
        f"coalesce(bool_and({time} >= {_FIRST_DATE} AND {time} < {_LAST_DATE} + INTERVAL 1 DAY), true)"
    )
    width = max(12 if stored.type == "DATE" else 20, min(len(title) + 2, WIDEST_COLUMN))
    if not fits:
        return SheetColumn(title, f"{time}::VARCHAR", is_text=True, width=width)
    if stored.type == "DATE":
        return SheetColumn(title, f"{cell} - {_DAY_ZERO}", _NUMBER_FORMATS["date"], width=width)
    days = f"epoch_us({time}::TIMESTAMP) / 86400000000 + 25569"
    return SheetColumn(title, days, _NUMBER_FORMATS["timestamp"], width=width)
