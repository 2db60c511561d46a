"""The DuckDB of this process alone that files are made with: it reads and writes the report's own folders."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from .document import Advance

MEMORY = "256MB"
THREADS = 2
TELL_SECONDS = 0.5

_DISK_IS_FULL = ("no space left", "disk quota exceeded", "failed to offload", "max_temp_directory_size")


@contextmanager
def open_database(*folders: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database that reaches these folders and nothing else.

    A disk that is full raises OSError with ENOSPC, whoever finds it full.
    """
    connection = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "threads": THREADS})
    try:
        _lock(connection, folders)
        yield connection
    except duckdb.Error as error:
        if any(sign in str(error).lower() for sign in _DISK_IS_FULL):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folders[0])) from error
        raise
    finally:
        connection.close()


def _lock(connection: duckdb.DuckDBPyConnection, folders: tuple[Path, ...]) -> None:
    allowed = ", ".join(quote_text(f"{folder.absolute()}/") for folder in folders)
    for setting in (
        "TimeZone = 'UTC'",
        f"temp_directory = {quote_text(str(folders[0].absolute() / 'duckdb'))}",
        f"allowed_directories = [{allowed}]",
        # Only so is progress counted.
        "enable_progress_bar = true",
        "enable_progress_bar_print = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def quote_name(name: str) -> str:
    """Write the name of a column as SQL."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Write a text as SQL, where none can be bound."""
    return "'" + text.replace("'", "''") + "'"


def run_telling(connection: duckdb.DuckDBPyConnection, sql: str, *, rows: int, advance: Advance) -> None:
    """Run a long statement over so many rows, and tell now and then how many of them are done."""
    statement = _Statement(connection, sql)
    statement.start()
    try:
        while not statement.ended.wait(TELL_SECONDS):
            advance(int(rows * min(max(connection.query_progress(), 0.0), 100.0) / 100))
    except BaseException:
        connection.interrupt()
        raise
    finally:
        statement.join()
    if statement.failure is not None:
        raise statement.failure
    advance(rows)


class _Statement(threading.Thread):
    """A statement that runs while others look how far it is."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sql: str) -> None:
        super().__init__(name="files")
        self.ended = threading.Event()
        self.failure: BaseException | None = None
        self._connection = connection
        self._sql = sql

    def run(self) -> None:
        try:
            self._connection.execute(self._sql)
        except BaseException as error:
            self.failure = error
        finally:
            self.ended.set()
