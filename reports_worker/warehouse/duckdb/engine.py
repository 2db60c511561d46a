"""DuckDB, inside the job process: over a DuckDB file, or a folder of Parquet or CSV files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from reports_worker.content.rows import Batch, Column, Kind
from reports_worker.lib.sql import quote_name, quote_text
from reports_worker.warehouse.address import WarehouseAddress
from reports_worker.warehouse.engine import Bounds, check_names
from reports_worker.warehouse.errors import WarehouseCancelledError, WarehouseError, WarehouseUnavailableError
from reports_worker.warehouse.placeholders import Style, bind

from .errors import translated_errors
from .folder import FolderTable
from .statements import check_reads
from .tables import FolderTables

# Small, since a row group is in memory before it is written.
GROUP_ROWS = 40_960
# The number of concurrent queries of a report whose progress is reported.
_PROGRESS_CONNECTIONS = 2
_STYLE = Style(mark=lambda name: f"${name}")
_KINDS = {
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "DOUBLE": Kind.NUMBER,
    "FLOAT": Kind.NUMBER,
    "TIMESTAMP": Kind.TIMESTAMP,
    "VARCHAR": Kind.TEXT,
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), Kind.INTEGER),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"), Kind.INTEGER),
}
# Python has whole numbers of any size. In files these types become 64 bits wide, or exact decimals.
_WIDE = ("HUGEINT", "UHUGEINT")
# Types that are cast, since files and Python have no such type; all other types become text.
_CAST_KINDS = {
    "TIMESTAMP_S": ("TIMESTAMP", Kind.TIMESTAMP),
    "TIMESTAMP_MS": ("TIMESTAMP", Kind.TIMESTAMP),
    "TIMESTAMP_NS": ("TIMESTAMP", Kind.TIMESTAMP),
    "TIMESTAMP WITH TIME ZONE": ("TIMESTAMP", Kind.TIMESTAMP),
}


def create_engine(address: WarehouseAddress) -> DuckDBEngine:
    return DuckDBEngine(Path(address.place))


class DuckDBEngine:
    """Opens the warehouse read-only and locked: DuckDB can access nothing else but the report's scratch folder."""

    dialect = "duckdb"

    def __init__(self, path: Path) -> None:
        self.path = path

    def connect(self, bounds: Bounds) -> DuckDBSession:
        path = self.path.resolve()
        scratch = bounds.scratch.resolve()
        with translated_errors():
            connection = self._open(path, bounds, scratch)
        tables: FolderTables | None = None
        try:
            with translated_errors():
                # Progress must be enabled before the configuration is locked.
                idle = [_enable_progress(connection.cursor()) for _ in range(_PROGRESS_CONNECTIONS)]
                tables = FolderTables(path, scratch) if path.is_dir() else None
                _lock(connection, [scratch, path] if tables else [scratch], bounds)
        except BaseException:
            connection.close()
            if tables:
                tables.close()
            raise
        return DuckDBSession(connection, idle, bounds, tables)

    def _open(self, path: Path, bounds: Bounds, scratch: Path) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {
            "allow_community_extensions": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{bounds.memory // 2}B",
            "python_enable_replacements": "false",
            "temp_directory": str(scratch / "spilled"),
        }
        if path.is_dir():
            return duckdb.connect(":memory:", config=config)
        if not path.exists():
            raise WarehouseUnavailableError(
                "The warehouse's file or folder does not exist. Contact your administrator to check "
                "ConnectionStrings__warehouse."
            )
        return duckdb.connect(path, read_only=True, config=config)


def _lock(connection: duckdb.DuckDBPyConnection, allowed: Sequence[Path], bounds: Bounds) -> None:
    """Restrict DuckDB to the allowed folders, and lock the configuration, which cannot be unlocked."""
    folders = ", ".join(quote_text(str(folder)) for folder in allowed)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute(f"SET GLOBAL max_execution_time = {int(bounds.time.total_seconds() * 1000)}")
    connection.execute(f"SET GLOBAL allowed_directories = [{folders}]")
    connection.execute("SET GLOBAL enable_external_access = false")
    connection.execute("SET GLOBAL lock_configuration = true")


class DuckDBSession:
    """The session of one report. Each running query has a connection of its own."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        idle: list[duckdb.DuckDBPyConnection],
        bounds: Bounds,
        tables: FolderTables | None,
    ) -> None:
        self._connection = connection
        self._idle = idle
        self.bounds = bounds
        self._tables = tables
        self._as_of = datetime.now(UTC)
        self._lock = threading.Lock()
        self._running: set[duckdb.DuckDBPyConnection] = set()
        self._cancelled = False

    @property
    def as_of(self) -> datetime:
        return self._as_of

    def execute(self, sql: str, values: Mapping[str, Any]) -> DuckDBRows:
        text, bound = bind(sql, values, dialect="duckdb", style=_STYLE)
        with self.run() as connection:
            named = check_reads(connection, text)
            read = self._tables.prepare(connection, named) if self._tables else ()
            described = connection.execute(f"DESCRIBE {text}", bound).fetchall()
        return DuckDBRows(self, text, bound, [(name, kind) for name, kind, *_ in described], read)

    def schema(self) -> Mapping[str, Sequence[Column]]:
        with self.run() as connection:
            if self._tables:
                self._tables.prepare_all(connection)
            rows = connection.execute(
                "SELECT table_name, column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = 'main' ORDER BY table_name, ordinal_position"
            ).fetchall()
        tables: dict[str, list[Column]] = {}
        for table, name, kind in rows:
            tables.setdefault(table, []).append(Column(name, find_kind(kind)))
        return tables

    def progress(self) -> float | None:
        """Return the progress of the running query, from 0 to 1; None where DuckDB does not know it."""
        with self._lock:
            percents = [connection.query_progress() for connection in self._running]
        return max(percents) / 100 if percents and max(percents) >= 0 else None

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            for connection in self._running:
                connection.interrupt()

    def close(self) -> None:
        self.cancel()
        self._connection.close()
        if self._tables:
            self._tables.close()

    @contextmanager
    def run(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Provide a connection that can be cancelled, and translate DuckDB's errors."""
        with self._lock:
            self._refuse_cancelled()
            connection = self._idle.pop() if self._idle else self._connection.cursor()
            self._running.add(connection)
        try:
            with translated_errors(self._tables.translate if self._tables else None):
                yield connection
        except WarehouseError:
            self._refuse_cancelled()
            raise
        finally:
            with self._lock:
                self._running.discard(connection)
                self._idle.append(connection)

    def check(self, tables: Sequence[FolderTable]) -> None:
        """Raise WarehouseUnavailableError if files of these tables have changed since the report began."""
        if self._tables:
            self._tables.check(tables)

    def _refuse_cancelled(self) -> None:
        if self._cancelled:
            raise WarehouseCancelledError("The query was cancelled.")


class DuckDBRows:
    """A query that runs when its rows are read, in batches or directly into a file."""

    def __init__(
        self,
        session: DuckDBSession,
        text: str,
        values: Mapping[str, Any],
        described: Sequence[tuple[str, str]],
        read: Sequence[FolderTable],
    ) -> None:
        self._session = session
        self._text = text
        self._values = dict(values)
        self._described = described
        self._read = read
        self.columns: Sequence[Column] = [Column(name, find_kind(kind)) for name, kind in described]
        check_names(self.columns)

    def batches(self) -> Iterator[Batch]:
        with self._session.run() as connection:
            connection.execute(self._select(), self._values)
            while batch := connection.fetchmany(self._session.bounds.batch):
                self._session.check(self._read)
                yield batch
            self._session.check(self._read)

    def write_parquet(self, path: Path, most_rows: int) -> int:
        """Write at most `most_rows` rows into a file in the scratch folder; return the number of rows."""
        with self._session.run() as connection:
            try:
                count = self._copy(connection, path, most_rows, wide="BIGINT")
            except duckdb.ConversionException:
                if not any(kind in _WIDE for _, kind in self._described):
                    raise
                # Under another name: DuckDB may still remove the file of its first attempt.
                temporary = path.with_name(f"wide_{path.name}")
                count = self._copy(connection, temporary, most_rows, wide="DECIMAL(38, 0)")
                temporary.rename(path)
            self._session.check(self._read)
            return count

    def _copy(self, connection: duckdb.DuckDBPyConnection, path: Path, most_rows: int, *, wide: str) -> int:
        """Write the rows without the batches of about 80 MB that DuckDB collects to preserve the order of rows.

        With a limit, DuckDB uses one thread, which preserves the order too.
        """
        row = connection.execute(
            f"COPY ({self._select(wide)} LIMIT {int(most_rows)}) TO {quote_text(str(path.resolve()))} "
            f"(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {GROUP_ROWS}, PRESERVE_ORDER false)",
            self._values,
        ).fetchone()
        return int(row[0]) if row else 0

    def _select(self, wide: str = "") -> str:
        """Write the query with casts of its columns; columns of more than 64 bits are cast to `wide`, if given."""
        columns = ", ".join(_cast(name, kind, wide) for name, kind in self._described)
        # Inside FROM, DuckDB itself refuses a WITH that writes.
        return f"SELECT {columns} FROM (\n{self._text}\n)"


def _enable_progress(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("SET enable_progress_bar = true")
    connection.execute("SET enable_progress_bar_print = false")
    connection.execute("SET progress_bar_time = 0")
    return connection


def find_kind(name: str) -> Kind:
    """Return the kind for a type of DuckDB."""
    if name.startswith("DECIMAL("):
        return Kind.DECIMAL
    if name in _WIDE:
        return Kind.INTEGER
    return _KINDS.get(name) or _CAST_KINDS.get(name, ("", Kind.TEXT))[1]


def _cast(name: str, kind: str, wide: str) -> str:
    quoted = quote_name(name)
    if kind in _KINDS or kind.startswith("DECIMAL(") or (kind in _WIDE and not wide):
        return quoted
    target = wide if kind in _WIDE else _CAST_KINDS.get(kind, ("VARCHAR", Kind.TEXT))[0]
    return f"CAST({quoted} AS {target}) AS {quoted}"
