"""The DuckDB that writes files: it belongs to this process, and reads and writes the report's own folders."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from reports_worker.content.rows import Row
from reports_worker.lib.sql import quote_name, quote_text

from .document import Advance, SpooledTable

MEMORY = "256MB"
# Each thread needs about 50 MB more for a long table.
THREADS = 1
TELL_SECONDS = 0.5

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_NO_TEXT = _INTEGERS | {"FLOAT", "DOUBLE", "BOOLEAN", "DATE", "TIME"}
_DISK_IS_FULL = ("no space left", "disk quota exceeded", "failed to offload", "max_temp_directory_size")


@contextmanager
def open_database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database that can access this folder alone, and close it: a report needs one for all files.

    A full disk raises OSError with ENOSPC, too little memory raises MemoryError.
    """
    connection = connect(folder)
    try:
        yield connection
    except duckdb.Error as error:
        if any(sign in str(error).lower() for sign in _DISK_IS_FULL):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise MemoryError(str(error)) from error
        raise
    finally:
        connection.close()


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Create an empty database that can access this folder alone."""
    connection = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "threads": THREADS})
    for setting in (
        "TimeZone = 'UTC'",
        f"temp_directory = {quote_text(str(folder.absolute() / 'duckdb'))}",
        f"allowed_directories = [{quote_text(f'{folder.absolute()}/')}]",
        # Progress is counted only with this setting.
        "enable_progress_bar = true",
        "enable_progress_bar_print = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


@dataclass(frozen=True)
class Stored:
    """A column of a Parquet file: its name and DuckDB's type."""

    name: str
    type: str

    @property
    def is_text(self) -> bool:
        """Whether the values are written as text: they are no numbers, booleans or times."""
        return not (self.type in _NO_TEXT or self.type.startswith(("DECIMAL", "TIMESTAMP")))

    @property
    def has_zone(self) -> bool:
        return self.type == "TIMESTAMP WITH TIME ZONE"

    @property
    def scale(self) -> int | None:
        """The number of digits after the decimal point."""
        return int(self.type.rstrip(")").split(",")[1]) if self.type.startswith("DECIMAL") else None

    @property
    def is_wide(self) -> bool:
        """Whether the column may contain integers that a double cannot represent."""
        return self.type in ("BIGINT", "UBIGINT") or self.scale == 0

    @property
    def is_float(self) -> bool:
        return self.type in ("FLOAT", "DOUBLE")


def describe_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> list[Stored]:
    """List the columns of a Parquet file."""
    rows = connection.execute(f"DESCRIBE FROM {from_parquet(path)}").fetchall()
    return [Stored(name, type_) for name, type_, *_ in rows]


def read_first(table: SpooledTable, most_rows: int) -> list[Row]:
    """Read the first rows of a table, with times in UTC.

    DuckDB needs a package that is not installed to return times with a zone.
    """
    cells = ", ".join(map(_select, describe_parquet(table.database, table.path)))
    return table.database.execute(
        f"SELECT {cells} FROM {from_parquet(table.path)} LIMIT {int(most_rows)}"
    ).fetchall()


def _select(column: Stored) -> str:
    name = quote_name(column.name)
    return f"timezone('UTC', {name}) AS {name}" if column.has_zone else name


def from_parquet(path: Path) -> str:
    """Write SQL that selects from a Parquet file."""
    return f"read_parquet({quote_text(str(path))})"


def run_telling(connection: duckdb.DuckDBPyConnection, sql: str, *, rows: int, advance: Advance) -> None:
    """Run a long statement, and report at intervals how many of its `rows` are done."""

    def tell() -> None:
        advance(int(rows * min(max(connection.query_progress(), 0.0), 100.0) / 100))

    run_aside(lambda: connection.execute(sql), tell=tell, stop=connection.interrupt)
    advance(rows)


def run_aside(work: Callable[[], object], *, tell: Callable[[], None], stop: Callable[[], None]) -> None:
    """Do work on another thread while this one calls `tell` at intervals; stop the work if `tell` fails."""
    aside = _Aside(work)
    aside.start()
    try:
        while not aside.ended.wait(TELL_SECONDS):
            tell()
    except BaseException:
        stop()
        raise
    finally:
        aside.join()
    if aside.failure is not None:
        raise aside.failure


class _Aside(threading.Thread):
    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(name="files")
        self.ended = threading.Event()
        self.failure: BaseException | None = None
        self._work = work

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # raised again where it is waited for
            self.failure = error
        finally:
            self.ended.set()
