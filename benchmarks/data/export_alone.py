"""Writes the same rows without us: DuckDB's own COPY, or XlsxWriter alone with constant memory.

Arguments: the folder with the rows, the format, a folder for files.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
from xlsxwriter import Workbook

from .telling import tell
from .wide_rows import TABLE

_BATCH = 10_000


def copy(rows: Path, path: Path) -> None:
    options = {".csv": "FORMAT csv, HEADER", ".parquet": "FORMAT parquet"}[path.suffix]
    duckdb.sql(f"COPY (FROM '{rows}') TO '{path}' ({options})")


def write_workbook(rows: Path, path: Path) -> None:
    """As its documentation says it is to be used for much data: each value by the method for its kind."""
    workbook = Workbook(str(path), {"constant_memory": True})
    sheet = workbook.add_worksheet()
    date_format = workbook.add_format({"num_format": "yyyy-mm-dd"})
    moment_format = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    found = duckdb.execute(f"FROM '{rows}'")
    for place, (name, *_) in enumerate(found.description or ()):
        sheet.write_string(0, place, name)
    line = 1
    while batch := found.fetchmany(_BATCH):
        for number, customer, city, amount, share, day, moment, is_new in batch:
            sheet.write_number(line, 0, number)
            sheet.write_string(line, 1, customer)
            sheet.write_string(line, 2, city)
            sheet.write_number(line, 3, amount)
            sheet.write_number(line, 4, share)
            sheet.write_datetime(line, 5, day, date_format)
            sheet.write_datetime(line, 6, moment, moment_format)
            sheet.write_boolean(line, 7, is_new)
            line += 1
    workbook.close()


def main(rows: str, file_format: str, place: str) -> None:
    source, path = Path(rows) / f"{TABLE}.parquet", Path(place) / f"alone.{file_format}"
    write = write_workbook if file_format == "xlsx" else copy
    begin = time.monotonic()
    write(source, path)
    tell(time.monotonic() - begin, {})


if __name__ == "__main__":
    main(*sys.argv[1:])
