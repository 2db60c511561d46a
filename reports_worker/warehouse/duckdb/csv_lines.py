"""The lines of a CSV file, read with Python: to find a line that differs from the first, and to refuse the file.

DuckDB reads the rows of reports; this module finds the faults that DuckDB does not report.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from reports_worker.warehouse.errors import WarehouseError

from .parts import LinkedFile

QUOTE = '"'
_SEPARATORS = ",;\t|"
_FIRST_BYTES = 2**16
_PIECE_BYTES = 2**20


def refuse_csv(file: LinkedFile) -> NoReturn:
    """Refuse a file that DuckDB cannot parse; name the line that differs from the first line, if there is one."""
    lines = decode_start(file).splitlines()
    separator = guess_separator(next(filter(str.strip, lines), ""))
    refuse_fields(file, separator or _SEPARATORS[0])
    raise WarehouseError(describe_unknown(file.name))


def refuse_cut_off(file: LinkedFile, separator: str) -> None:
    """Refuse a file that ends within quotes, which DuckDB reads as a file without quotes."""
    last = _read_end(file).decode("utf-8", "replace").rstrip("\r\n").rpartition("\n")[2]
    field = last.rpartition(separator)[2] if separator else last
    if field.lstrip().startswith(QUOTE) and field.count(QUOTE) == 1:
        raise WarehouseError(f"{file.name} is not complete: its last line ends within quotes")


def refuse_fields(file: LinkedFile, separator: str) -> None:
    """Refuse a file with a separator in its first line in which DuckDB finds one column."""
    refuse_odd_line(file, separator)
    fields = next((fields for _, fields in _read_rows(file, separator) if fields), [])
    if len(fields) > 1:
        raise WarehouseError(describe_unknown(file.name))


def refuse_odd_line(file: LinkedFile, separator: str) -> None:
    """Refuse a file in which a line has another number of fields than the first line."""
    rows = ((number, len(fields)) for number, fields in _read_rows(file, separator) if fields)
    _, expected = next(rows, (0, 0))
    for number, found in rows:
        if found != expected:
            raise WarehouseError(describe_odd_line(file.name, number, found, expected))


def guess_separator(line: str) -> str:
    """Return the most frequent separator of a line; empty where the line has none."""
    mark = max(_SEPARATORS, key=line.count)
    return mark if mark in line else ""


def describe_unknown(name: str) -> str:
    return f"{name} cannot be read as CSV: its lines have different line ends or quotes"


def describe_odd_line(name: str, number: int, found: int, expected: int) -> str:
    return (
        f"line {number} of {name} has {_count(found)}, and its first line has {expected}: give all lines the same "
        "number of fields, and put a field that contains the separator into quotes"
    )


def find_line(file: LinkedFile, column: str, value: str) -> int | None:
    """Find the first line on which a column has a value."""
    with suppress(csv.Error, OSError, ValueError, EOFError):
        rows = _read_rows(file, guess_separator(decode_start(file).partition("\n")[0]) or _SEPARATORS[0])
        _, header = next(rows, (0, []))
        place = [name.strip() for name in header].index(column)
        found = (number for number, fields in rows if len(fields) > place and fields[place] == value)
        return next(found, None)
    return None


def _count(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


def _read_rows(file: LinkedFile, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row, and the number of its first line."""
    with (
        _open(file) as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="") as text,
    ):
        reader = csv.reader(text, delimiter=separator, skipinitialspace=True)
        line = 1
        for fields in reader:
            yield line, fields
            line = reader.line_num + 1


def has_more_rows(file: LinkedFile, rows: int) -> bool:
    """Return whether the file may have more rows than this: it has more lines, including the header."""
    with _open(file) as opened:
        lines = 0
        while lines <= rows and (piece := opened.read(_PIECE_BYTES)):
            lines += piece.count(b"\n") or piece.count(b"\r")
    return lines > rows


def decode_start(file: LinkedFile) -> str:
    return read_start(file).decode("utf-8-sig", "replace")


def read_start(file: LinkedFile) -> bytes:
    try:
        with _open(file) as opened:
            return opened.read(_FIRST_BYTES)
    except (EOFError, gzip.BadGzipFile) as error:
        raise WarehouseError(f"{file.name} is damaged: it is not a complete gzip file") from error


def _read_end(file: LinkedFile) -> bytes:
    with _open(file) as opened:
        if isinstance(opened, gzip.GzipFile):
            end = b""
            while piece := opened.read(_PIECE_BYTES):
                end = (end + piece)[-_FIRST_BYTES:]
            return end
        opened.seek(max(0, opened.seek(0, io.SEEK_END) - _FIRST_BYTES))
        return opened.read()


def _open(file: LinkedFile) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(file.link) if file.link.endswith(".gz") else Path(file.link).open("rb")
