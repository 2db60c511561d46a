"""DuckDB's errors as errors of this product, with messages that name no path."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from reports_worker.warehouse.errors import (
    WarehouseBusyError,
    WarehouseError,
    WarehouseMemoryError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)

from .csv import BETWEEN, MARK
from .csv_lines import describe_odd_line, find_line, refuse_csv
from .folder import PARQUET
from .parts import LinkedFile

Translate = Callable[[duckdb.Error], "WarehouseError | None"]

_LINE = re.compile(r"CSV Error on Line: (\d+)")
_WIDTH = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_VALUE = re.compile(r'Error when converting column "(.*?)"\. Could not convert string "(.*?)" to \'(\w+)')
# DuckDB suggests similar names, of its own tables too.
_OWN_TABLE = re.compile(r' Did you mean "(?:pg_|sqlite_|duckdb_|information_schema)[^"]*"\?')
_LONGEST_VALUE = 60
_TOO_MANY = "Too many open files"
# DuckDB's other messages about a line, and the messages for users.
_LINE_FAULTS = {
    "Value with unterminated quote found": "has a quote that does not end",
    "Invalid unicode (byte sequence mismatch)": "is not UTF-8: write the file in UTF-8",
    "Maximum line size": "is longer than 2 MB",
}


@contextmanager
def translated_errors(translate_file_error: Translate | None = None) -> Iterator[None]:
    """Translate DuckDB's errors; `translate_file_error` is tried first, for a folder of files."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise WarehouseTimeoutError(
            "The query took longer than a report may run. Request a smaller report, or contact your administrator."
        ) from error
    except duckdb.OutOfMemoryException as error:
        if "failed to offload" in str(error):
            raise _full() from error
        raise WarehouseMemoryError(
            "The query needs more memory than a report may take. "
            "Request a smaller report, or contact your administrator."
        ) from error
    except duckdb.Error as error:
        raise (translate_file_error and translate_file_error(error)) or _translate(error) from error


def to_file_error(error: duckdb.Error, table: str, file: LinkedFile, kind: str) -> WarehouseError:
    """Translate an error about a file of a table."""
    text = str(error)
    if _TOO_MANY in text:
        return WarehouseUnavailableError(
            f"The warehouse's table {table!r} has more files than the worker may open. Contact your administrator "
            "to raise the limit (ulimit -n)."
        )
    if kind == PARQUET or isinstance(error, duckdb.IOException):
        return WarehouseUnavailableError(
            f"The warehouse's table {table!r} cannot be read: {file.name} is damaged, not completely written, or not "
            f"{kind}. Contact your administrator."
        )
    return WarehouseError(
        f"The warehouse's table {table!r} cannot be read: {_describe_csv_fault(text, file)}."
    )


def _describe_csv_fault(text: str, file: LinkedFile) -> str:
    line = _LINE.search(text)
    if MARK in text:
        _, _, column, value = text.partition(MARK)[2].split(BETWEEN, 3)
        return _describe_value(file, column, value.partition("\n")[0], find_line(file, column, value))
    if line and (width := _WIDTH.search(text)):
        return describe_odd_line(file.name, int(line[1]), int(width[2]), int(width[1]))
    if line and (value_of := _VALUE.search(text)):
        return _describe_value(file, value_of[1], value_of[2], int(line[1]))
    where = f"line {line[1]} of {file.name}" if line else f"a line of {file.name}"
    for message, description in _LINE_FAULTS.items():
        if message in text:
            return f"{where} {description}"
    try:
        refuse_csv(file)
    except WarehouseError as error:
        return str(error)


def _describe_value(file: LinkedFile, column: str, value: str, line: int | None) -> str:
    where = f"line {line} of {file.name}" if line else file.name
    if len(value) > _LONGEST_VALUE:
        value = value[:_LONGEST_VALUE] + "..."
    return (
        f"{where} has {value!r} in column {column!r}, where the first values are of another type: correct the value, "
        "or write the table as Parquet, which keeps types"
    )


def _translate(error: duckdb.Error) -> Exception:
    if isinstance(error, duckdb.IOException):
        return _translate_io_error(str(error))
    if isinstance(error, duckdb.PermissionException):
        return WarehouseError("The query reads outside the warehouse, which is not allowed.")
    return WarehouseError(f"The warehouse cannot execute the query: {_first_line(error)}")


def _translate_io_error(text: str) -> Exception:
    if "Could not set lock" in text:
        return WarehouseBusyError(
            "Another program has the warehouse open for writing: try again when the program has closed it."
        )
    if "No space left" in text:
        return _full()
    return WarehouseUnavailableError(
        "The warehouse's files cannot be read: they are damaged, changed during the read, or not files of DuckDB, "
        "Parquet or CSV. Contact your administrator."
    )


def _full() -> OSError:
    return OSError(errno.ENOSPC, "no space left for temporary or written files of a query")


def _first_line(error: Exception) -> str:
    return _OWN_TABLE.sub("", " ".join(str(error).partition("\n\nLINE ")[0].split()))
