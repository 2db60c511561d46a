"""One workbook: a sheet for each table, and About, which says what it is and whether it holds everything.

Excel keeps 15 digits of a number, dates from March 1900 on, 32,767 characters in a cell and 1,048,576 rows in
a sheet. What does not fit is written as text, cut and counted, or continued on the next sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import duckdb
from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reports_worker.contents import Column

from .aside import written_aside
from .database import Stored, describe_parquet, from_parquet, open_database, quote_name, run_aside
from .document import Advance, Document, SpooledTable, WrittenFile
from .sheet_names import SheetNames
from .valid_text import REPLACEMENT

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_ROWS = 1_048_576
SHEET_COLUMNS = 16_384
LONGEST_TEXT = 32_767
GREATEST_INTEGER = 2**53
BATCH_ROWS = 5_000
WIDEST_COLUMN = 60

# Days are counted from here; before March 1900 Excel counts a day that never was.
_DAY_ZERO = "DATE '1899-12-30'"
_FIRST_DATE, _LAST_DATE = "DATE '1900-03-01'", "DATE '9999-12-31'"
# Of what XML forbids, these; other control characters Excel writes in a way of its own.
_NOT_IN_XML = dict.fromkeys((0, 0xFFFE, 0xFFFF), REPLACEMENT)
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_NUMBER_FORMATS = {
    "integer": "0",
    "date": "yyyy-mm-dd",
    "timestamp": "yyyy-mm-dd hh:mm:ss",
}


@dataclass
class _Column:
    """A column as it goes into a sheet: what is selected for it, and how its cells are written."""

    title: str
    select: str
    number_format: str | None = None
    is_text: bool = False
    is_boolean: bool = False
    is_careful: bool = False
    width: int = 12


@dataclass
class _Written:
    """What became of a table."""

    table: SpooledTable
    sheets: list[str] = field(default_factory=list)
    cut_texts: int = 0
    cut_columns: int = 0

    @property
    def sentence(self) -> str | None:
        """Why the sheets do not hold everything; None if they do."""
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


def write_xlsx(
    document: Document, folder: Path, advance: Advance, *, sheet_rows: int = SHEET_ROWS
) -> Iterator[WrittenFile]:
    """Write one file; a sheet has at most `sheet_rows` rows, its head included."""
    begin = monotonic()
    path = folder / "report.xlsx"
    with written_aside(path) as aside:
        written = _write(document, folder, aside, advance, sheet_rows)
    cut = [f"{each.table.title}: {each.sentence}" for each in written if each.sentence]
    yield WrittenFile(
        path,
        "xlsx",
        MEDIA_TYPE,
        monotonic() - begin,
        rows_written=sum(table.rows for table in document.tables),
        rows_expected=sum(table.rows_expected for table in document.tables),
        cut=" ".join(cut) or None,
    )


def _write(document: Document, folder: Path, path: Path, advance: Advance, sheet_rows: int) -> list[_Written]:
    rows = sum(table.rows for table in document.tables)
    with _open_workbook(path, folder) as workbook:
        names = SheetNames()
        about = workbook.add_worksheet(names.take("About"))
        writer = _TableWriter(workbook, names, sheet_rows, advance)
        for table in document.tables:
            with open_database(folder, table.path.parent) as database:
                writer.write(database, table)
        _write_about(about, workbook, document, writer.written)
        run_aside(workbook.close, tell=lambda: advance(rows), stop=lambda: None)
    return writer.written


@contextmanager
def _open_workbook(path: Path, folder: Path) -> Iterator[Workbook]:
    """Open a workbook that keeps what it needs meanwhile in the folder, and leaves nothing there."""
    with TemporaryDirectory(dir=folder, prefix=".xlsx.") as meanwhile:
        workbook = Workbook(str(path), {**_OPTIONS, "tmpdir": meanwhile})
        workbook.use_zip64()
        try:
            yield workbook
        except FileCreateError as error:
            raise error.args[0] from error
        finally:
            for sheet in workbook.worksheets():
                if sheet.row_data_fh:
                    with suppress(OSError):
                        sheet.row_data_fh.close()


class _TableWriter:
    """Writes tables, each on as many sheets as it takes."""

    def __init__(self, workbook: Workbook, names: SheetNames, sheet_rows: int, advance: Advance) -> None:
        self.written: list[_Written] = []
        self._workbook = workbook
        self._names = names
        self._sheet_rows = sheet_rows
        self._advance = advance
        self._done = 0
        self._head = workbook.add_format({"bold": True, "bottom": 1, "num_format": "@"})
        self._formats: dict[str, Format] = {}

    def write(self, database: duckdb.DuckDBPyConnection, table: SpooledTable) -> None:
        written = _Written(table)
        self.written.append(written)
        stored = describe_parquet(database, table.path)
        columns = _choose_columns(database, table, stored[:SHEET_COLUMNS], written)
        written.cut_columns = len(stored) - len(columns)
        cells = ", ".join(column.select for column in columns)
        rows = _each(database.execute(f"SELECT {cells} FROM {from_parquet(table.path)}"))
        names = self._names.take_series(table.title, count=_count_sheets(table.rows, self._sheet_rows - 1))
        for number, name in enumerate(names):
            written.sheets.append(name)
            notes = _tell_neighbours(names, number)
            self._write_sheet(name, columns, islice(rows, self._sheet_rows - 1), notes)

    def _write_sheet(
        self, name: str, columns: Sequence[_Column], rows: Iterator[tuple[Any, ...]], notes: Sequence[str]
    ) -> None:
        sheet = self._workbook.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width, self._find_format(column.number_format))
        for place, title in enumerate([*(column.title for column in columns), *notes][:SHEET_COLUMNS]):
            _write_text(sheet, 0, place, title, self._head)
        writers = [_choose_writer(sheet, column) for column in columns]
        for line, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                if value is not None:
                    writers[place](line, place, value)
            self._done += 1
            if not line % BATCH_ROWS:
                self._advance(self._done)
        self._advance(self._done)

    def _find_format(self, number_format: str | None) -> Format | None:
        if number_format is None:
            return None
        if number_format not in self._formats:
            self._formats[number_format] = self._workbook.add_format({"num_format": number_format})
        return self._formats[number_format]


def _each(rows: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := rows.fetchmany(BATCH_ROWS):
        yield from batch


def _count_sheets(rows: int, on_each: int) -> int:
    return max(1, -(-rows // on_each))


def _tell_neighbours(names: Sequence[str], number: int) -> list[str]:
    notes = [f"Continued from sheet {names[number - 1]!r}"] if number else []
    return notes + ([f"Continues on sheet {names[number + 1]!r}"] if number + 1 < len(names) else [])


def _choose_writer(sheet: Worksheet, column: _Column) -> Any:
    if column.is_boolean:
        return sheet.write_boolean
    if column.is_text and not column.is_careful:
        return sheet.write_string
    if column.is_text:
        return lambda line, place, text: _write_text(sheet, line, place, text)
    if column.is_careful:
        return lambda line, place, number: _write_integer(sheet, line, place, number)
    return sheet.write_number


def _write_text(sheet: Worksheet, line: int, place: int, text: str, style: Format | None = None) -> None:
    text = text.translate(_NOT_IN_XML)
    if text.startswith("<r>") and text.endswith("</r>"):
        # The library would take this for markup of its own.
        cut = text[: LONGEST_TEXT // 2]
        sheet.write_rich_string(line, place, "<", "r", cut[2:], *([style] if style else []))
    else:
        sheet.write_string(line, place, text, style)


def _write_integer(sheet: Worksheet, line: int, place: int, number: int) -> None:
    if -GREATEST_INTEGER <= number <= GREATEST_INTEGER:
        sheet.write_number(line, place, number)
    else:
        sheet.write_string(line, place, str(number))


def _choose_columns(
    database: duckdb.DuckDBPyConnection, table: SpooledTable, stored: Sequence[Stored], written: _Written
) -> list[_Column]:
    """Choose how each column is written, by what is in it."""
    return [
        _choose_column(database, table, column, told, written)
        for column, told in zip(stored, table.columns, strict=False)
    ]


def _choose_column(
    database: duckdb.DuckDBPyConnection, table: SpooledTable, stored: Stored, told: Column, written: _Written
) -> _Column:
    cell, title = quote_name(stored.name), _entitle(told)
    width = min(max(12, len(title) + 2), WIDEST_COLUMN)

    def find(sql: str) -> tuple[Any, ...]:
        query = f"SELECT {sql} FROM {from_parquet(table.path)}"
        return database.execute(query).fetchone() or ()

    if stored.type == "BOOLEAN":
        return _Column(title, cell, is_boolean=True, width=width)
    if stored.type == "DATE" or stored.type.startswith("TIMESTAMP"):
        return _choose_time(stored, cell, title, find)
    if stored.is_float:
        return _Column(title, f"CASE WHEN isfinite({cell}) THEN {cell} END", width=width)
    if stored.scale:
        number_format = "0." + "0" * min(stored.scale, 10)
        # By way of its text, since DuckDB's own way to a double is off by a digit now and then.
        return _Column(title, f"{cell}::VARCHAR::DOUBLE", number_format, width=width)
    if not stored.is_text and stored.type != "TIME":
        select = f"{cell}::HUGEINT" if stored.scale == 0 else cell
        return _Column(title, select, _NUMBER_FORMATS["integer"], is_careful=stored.is_wide, width=width)
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
    return _Column(
        title, text, is_text=True, is_careful=marked, width=max(width, min(longest + 2, WIDEST_COLUMN))
    )


def _choose_time(stored: Stored, cell: str, title: str, find: Callable[[str], tuple[Any, ...]]) -> _Column:
    """Count days where Excel has all of them, else write the column as text."""
    time = f"timezone('UTC', {cell})" if stored.has_zone else cell
    (fits,) = find(
        f"coalesce(bool_and({time} >= {_FIRST_DATE} AND {time} < {_LAST_DATE} + INTERVAL 1 DAY), true)"
    )
    width = max(12 if stored.type == "DATE" else 20, min(len(title) + 2, WIDEST_COLUMN))
    if not fits:
        return _Column(title, f"{time}::VARCHAR", is_text=True, width=width)
    if stored.type == "DATE":
        return _Column(title, f"{cell} - {_DAY_ZERO}", _NUMBER_FORMATS["date"], width=width)
    days = f"epoch_us({time}::TIMESTAMP) / 86400000000 + 25569"
    return _Column(title, days, _NUMBER_FORMATS["timestamp"], width=width)


def _entitle(column: Column) -> str:
    """The head of a column: its title and unit; times are in UTC, where they have a zone."""
    title = column.title or column.name
    return f"{title} ({column.unit})" if column.unit else title


def _write_about(
    sheet: Worksheet, workbook: Workbook, document: Document, tables: Sequence[_Written]
) -> None:
    bold = workbook.add_format({"bold": True})
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 60)
    sheet.set_column(2, 2, 12)
    for line, (name, *cells) in enumerate(_tell_about(document, tables)):
        _write_text(sheet, line, 0, name, bold)
        for place, cell in enumerate(cells, 1):
            _write_fact(sheet, line, place, cell)


def _write_fact(sheet: Worksheet, line: int, place: int, value: Any) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= GREATEST_INTEGER:
        sheet.write_number(line, place, value)
    elif value is not None:
        _write_text(sheet, line, place, str(value))


def _tell_about(document: Document, tables: Sequence[_Written]) -> Iterator[tuple[Any, ...]]:
    yield "Title", document.title
    yield "Type", document.type_title
    yield "Report", document.task_id
    yield "Data as of", document.as_of.isoformat()
    yield "Made at", document.made_at.isoformat()
    yield "Definition version", document.version
    yield "Times", "Times that have a zone are in UTC."
    if document.parameters:
        yield ("",)
        yield ("Parameters",)
        yield from document.parameters
    if document.figures:
        yield ("",)
        yield ("Figures",)
        for figure in document.figures:
            yield figure.title, figure.value, figure.unit
    for each in tables:
        yield ("",)
        yield "Table", each.table.title
        yield "Sheets", ", ".join(each.sheets)
        if len(each.sheets) > 1:
            yield "", f"The table is too long for one sheet, so it continues on {len(each.sheets) - 1} more."
        yield "Rows written", each.table.rows
        yield "Rows expected", each.table.rows_expected
        yield "Complete", each.sentence or "Yes"
