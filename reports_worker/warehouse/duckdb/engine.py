"""DuckDB, inside the process that makes the report: over a file of its own, or a folder of Parquet or CSV."""

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

from .errors import explained
from .folder import FolderTable
from .statements import check_reads
from .tables import FolderTables

# Small, since a group is in memory before it is written.
GROUP_ROWS = 40_960
# Of the queries that a report runs at the same time, so many tell how far they are.
_TELLING = 2
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
# Python has whole numbers of any size. Files do not: there these are 64 bits wide, or else exact decimals.
_WIDE = ("HUGEINT", "UHUGEINT")
# What is cast on its way out, since files and Python have no type for it; all else becomes text.
_CAST_KINDS = {
    "TIMESTAMP_S": ("TIMESTAMP", Kind.TIMESTAMP),
    "TIMESTAMP_MS": ("TIMESTAMP", Kind.TIMESTAMP),
    "TIMESTAMP_NS": ("TIMESTAMP", Kind.TIMESTAMP),
    "TIMESTAMP WITH TIME ZONE": ("TIMESTAMP", Kind.TIMESTAMP),
}


def create_engine(address: WarehouseAddress) -> DuckDBEngine:
    return DuckDBEngine(Path(address.place))


class DuckDBEngine:
    """Opens the warehouse read-only and locked: it can reach nothing else but the report's scratch folder."""

    dialect = "duckdb"

    def __init__(self, path: Path) -> None:
        self.path = path

    def connect(self, bounds: Bounds) -> DuckDBSession:
        path = self.path.resolve()
        scratch = bounds.scratch.resolve()
        with explained():
            connection = self._open(path, bounds, scratch)
        tables: FolderTables | None = None
        try:
            with explained():
                # What tells its progress must say so before the configuration is locked.
                telling = [_tell_progress(connection.cursor()) for _ in range(_TELLING)]
                tables = FolderTables(path, scratch) if path.is_dir() else None
                _lock(connection, [scratch, path] if tables else [scratch], bounds)
        except BaseException:
            connection.close()
            if tables:
                tables.close()
            raise
        return DuckDBSession(connection, telling, bounds, tables)

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
                "The warehouse's file or folder is not there: tell who runs this to look at "
                "ConnectionStrings__warehouse."
            )
        return duckdb.connect(path, read_only=True, config=config)


def _lock(connection: duckdb.DuckDBPyConnection, allowed: Sequence[Path], bounds: Bounds) -> None:
    """Shut the door: what is locked here cannot be unlocked."""
    folders = ", ".join(quote_text(str(folder)) for folder in allowed)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute(f"SET GLOBAL max_execution_time = {int(bounds.time.total_seconds() * 1000)}")
    connection.execute(f"SET GLOBAL allowed_directories = [{folders}]")
    connection.execute("SET GLOBAL enable_external_access = false")
    connection.execute("SET GLOBAL lock_configuration = true")


class DuckDBSession:
    """One report's sight of the warehouse. Each query that runs has a connection of its own."""

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
        """Tell how far the query that runs is, from 0 to 1; None where DuckDB does not know."""
        with self._lock:
            told = [connection.query_progress() for connection in self._running]
        return max(told) / 100 if told and max(told) >= 0 else None

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
        """Give a connection that can be cancelled, and translate what DuckDB says."""
        with self._lock:
            self._refuse_cancelled()
            connection = self._idle.pop() if self._idle else self._connection.cursor()
            self._running.add(connection)
        try:
            with explained(self._tables.explain if self._tables else None):
                yield connection
        except WarehouseError:
            self._refuse_cancelled()
            raise
        finally:
            with self._lock:
                self._running.discard(connection)
                self._idle.append(connection)

    def check(self, tables: Sequence[FolderTable]) -> None:
        """Raise WarehouseUnavailableError if rows of these may be of another state than the report's."""
        if self._tables:
            self._tables.check(tables)

    def _refuse_cancelled(self) -> None:
        if self._cancelled:
            raise WarehouseCancelledError("The query was cancelled.")


class DuckDBRows:
    """A query that runs when its rows are wanted, in batches or straight into a file."""

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
        """Write at most so many rows into a file in the scratch folder; return how many there were."""
        with self._session.run() as connection:
            try:
                count = self._copy(connection, path, most_rows, wide="BIGINT")
            except duckdb.ConversionException:
                if not any(kind in _WIDE for _, kind in self._described):
                    raise
                # Under another name: DuckDB may still remove what its first attempt left.
                aside = path.with_name(f"wide_{path.name}")
                count = self._copy(connection, aside, most_rows, wide="DECIMAL(38, 0)")
                aside.rename(path)
            self._session.check(self._read)
            return count

    def _copy(self, connection: duckdb.DuckDBPyConnection, path: Path, most_rows: int, *, wide: str) -> int:
        """Write without the batches that DuckDB would gather to keep rows in order, some 80 MB of them.

        A limit lets rows through one thread, which keeps their order.
        """
        row = connection.execute(
            f"COPY ({self._select(wide)} LIMIT {int(most_rows)}) TO {quote_text(str(path.resolve()))} "
            f"(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {GROUP_ROWS}, PRESERVE_ORDER false)",
            self._values,
        ).fetchone()
        return int(row[0]) if row else 0

    def _select(self, wide: str = "") -> str:
        """Cast the columns that need it; those that may be wider than 64 bits to `wide`, if that is said."""
        wanted = ", ".join(_cast(name, kind, wide) for name, kind in self._described)
        # Inside FROM, DuckDB itself refuses a WITH that writes.
        return f"SELECT {wanted} FROM (\n{self._text}\n)"


def _tell_progress(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("SET enable_progress_bar = true")
    connection.execute("SET enable_progress_bar_print = false")
    connection.execute("SET progress_bar_time = 0")
    return connection


def find_kind(name: str) -> Kind:
    """Tell what values of a type of DuckDB become."""
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
