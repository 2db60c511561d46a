"""One workbook: a sheet for each table, and About, which describes the report and what is left out.

Excel keeps 15 digits of a number, dates from March 1900 on, 32,767 characters in a cell and 1,048,576 rows in a
sheet. Other values are written as text, longer texts are cut and counted, and longer tables continue on further sheets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
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

from reports_worker.lib import clock
from reports_worker.lib.atomic_file import atomic_write

from .document import Advance, Document, SpooledTable, WrittenFile
from .parquet_database import describe_parquet, from_parquet, run_aside
from .xlsx_columns import (
    GREATEST_INTEGER,
    SHEET_COLUMNS,
    SheetColumn,
    Written,
    choose_columns,
    choose_writer,
    write_text,
)
from .xlsx_sheet_names import SheetNames

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_ROWS = 1_048_576
BATCH_ROWS = 5_000

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_xlsx(
    document: Document, folder: Path, advance: Advance, *, sheet_rows: int = SHEET_ROWS
) -> Iterator[WrittenFile]:
    """Write one file; a sheet has at most `sheet_rows` rows, including its header."""
    begin = monotonic()
    path = folder / "report.xlsx"
    with atomic_write(path) as aside:
        written = _write(document, folder, aside, advance, sheet_rows)
    cut = [f"{each.table.title}: {each.sentence}" for each in written if each.sentence]
    yield WrittenFile(
        "xlsx",
        MEDIA_TYPE,
        monotonic() - begin,
        path=path,
        rows_written=sum(table.rows for table in document.tables),
        rows_expected=sum(table.rows_expected for table in document.tables),
        cut=" ".join(cut) or None,
    )


def _write(document: Document, folder: Path, path: Path, advance: Advance, sheet_rows: int) -> list[Written]:
    rows = sum(table.rows for table in document.tables)
    with _open_workbook(path, folder) as workbook:
        names = SheetNames()
        about = workbook.add_worksheet(names.take("About"))
        writer = _TableWriter(workbook, names, sheet_rows, advance)
        for table in document.tables:
            writer.write(table)
        _write_about(about, workbook, document, writer.written)
        run_aside(workbook.close, tell=lambda: advance(rows), stop=lambda: None)
    return writer.written


@contextmanager
def _open_workbook(path: Path, folder: Path) -> Iterator[Workbook]:
    """Open a workbook that keeps temporary files in the folder, and removes them."""
    with TemporaryDirectory(dir=folder, prefix=".xlsx.") as temporary:
        workbook = Workbook(str(path), {**_OPTIONS, "tmpdir": temporary})
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
    """Writes tables, each on as many sheets as necessary."""

    def __init__(self, workbook: Workbook, names: SheetNames, sheet_rows: int, advance: Advance) -> None:
        self.written: list[Written] = []
        self._workbook = workbook
        self._names = names
        self._sheet_rows = sheet_rows
        self._advance = advance
        self._done = 0
        self._head = workbook.add_format({"bold": True, "bottom": 1, "num_format": "@"})
        self._formats: dict[str, Format] = {}

    def write(self, table: SpooledTable) -> None:
        written, database = Written(table), table.database
        self.written.append(written)
        stored = describe_parquet(database, table.path)
        columns = choose_columns(database, table, stored[:SHEET_COLUMNS], written)
        written.cut_columns = len(stored) - len(columns)
        cells = ", ".join(column.select for column in columns)
        rows = _each(database.execute(f"SELECT {cells} FROM {from_parquet(table.path)}"))
        names = self._names.take_series(table.title, count=_count_sheets(table.rows, self._sheet_rows - 1))
        for number, name in enumerate(names):
            written.sheets.append(name)
            notes = _list_neighbours(names, number)
            self._write_sheet(name, columns, islice(rows, self._sheet_rows - 1), notes)

    def _write_sheet(
        self, name: str, columns: Sequence[SheetColumn], rows: Iterator[tuple[Any, ...]], notes: Sequence[str]
    ) -> None:
        sheet = self._workbook.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width, self._find_format(column.number_format))
        for place, title in enumerate([*(column.title for column in columns), *notes][:SHEET_COLUMNS]):
            write_text(sheet, 0, place, title, self._head)
        writers = [choose_writer(sheet, column) for column in columns]
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


def _list_neighbours(names: Sequence[str], number: int) -> list[str]:
    notes = [f"Continued from sheet {names[number - 1]!r}"] if number else []
    return notes + ([f"Continues on sheet {names[number + 1]!r}"] if number + 1 < len(names) else [])


def _write_about(sheet: Worksheet, workbook: Workbook, document: Document, tables: Sequence[Written]) -> None:
    bold = workbook.add_format({"bold": True})
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 60)
    sheet.set_column(2, 2, 12)
    for line, (name, *cells) in enumerate(_list_facts(document, tables)):
        write_text(sheet, line, 0, name, bold)
        for place, cell in enumerate(cells, 1):
            _write_fact(sheet, line, place, cell)


def _write_fact(sheet: Worksheet, line: int, place: int, value: Any) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= GREATEST_INTEGER:
        sheet.write_number(line, place, value)
    elif value is not None:
        write_text(sheet, line, place, str(value))


def _list_facts(document: Document, tables: Sequence[Written]) -> Iterator[tuple[Any, ...]]:
    yield "Title", document.title
    yield "Type", document.type_title
    yield "Report", document.task_id
    yield "Data as of", clock.to_json(document.as_of)
    yield "Made at", clock.to_json(document.made_at)
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
