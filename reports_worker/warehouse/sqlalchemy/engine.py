"""Any other database that SQLAlchemy supports. Tested with SQLite alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy
from sqlalchemy import exc
from sqlglot import Dialect

from reports_worker.content.rows import Batch, Column, Kind
from reports_worker.errors import SettingsError
from reports_worker.warehouse.address import VARIABLE, WarehouseAddress
from reports_worker.warehouse.dialects import ONLY_READS, check_reads
from reports_worker.warehouse.engine import Bounds, check_names
from reports_worker.warehouse.errors import (
    WarehouseCancelledError,
    WarehouseError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)
from reports_worker.warehouse.placeholders import Style, bind

# SQLAlchemy's names of dialects, where sqlglot has another name.
_DIALECTS = {"mssql": "tsql", "mariadb": "mysql", "awsathena": "athena"}
_STYLE = Style(mark=lambda name: f":{name}", escape=lambda text: text.replace(":", "\\:"))
# The values of the first batch decide the kinds, since a driver's types say less. bool is a subclass of int, and
# datetime of date, so both come first.
_KINDS: Sequence[tuple[type, Kind]] = (
    (bool, Kind.BOOLEAN),
    (int, Kind.INTEGER),
    (float, Kind.NUMBER),
    (Decimal, Kind.DECIMAL),
    (datetime, Kind.TIMESTAMP),
    (date, Kind.DATE),
)


def create_engine(address: WarehouseAddress) -> SQLAlchemyEngine:
    return SQLAlchemyEngine(address.place)


class SQLAlchemyEngine:
    """Opens sessions that are rolled back. The rights of the database's user must allow only reads."""

    def __init__(self, url: str) -> None:
        try:
            self._engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise SettingsError(
                f"{VARIABLE} is not valid: SQLAlchemy does not know this dialect, or the driver "
                "that it needs is not installed"
            ) from error
        name = _DIALECTS.get(self._engine.dialect.name, self._engine.dialect.name)
        # For a dialect that sqlglot does not know, queries are written in generic SQL.
        self.dialect = name if Dialect.get(name) else ""

    def connect(self, bounds: Bounds) -> SQLAlchemySession:
        try:
            connection = self._engine.connect()
        except exc.SQLAlchemyError as error:
            raise WarehouseUnavailableError(
                "The warehouse does not answer, or refuses the login. Try again later, or contact your administrator."
            ) from error
        return SQLAlchemySession(connection, bounds, self.dialect)


class SQLAlchemySession:
    """One connection, in a transaction that is never committed."""

    def __init__(self, connection: sqlalchemy.Connection, bounds: Bounds, dialect: str) -> None:
        self._connection = connection
        self.bounds = bounds
        self.dialect = dialect
        self._as_of = datetime.now(UTC)
        self._cancelled = False

    @property
    def as_of(self) -> datetime:
        return self._as_of

    def execute(self, sql: str, values: Mapping[str, Any]) -> SQLAlchemyRows:
        check_reads(sql, self.dialect)
        text, bound = bind(sql, values, dialect=self.dialect, style=_STYLE)
        with self.translated_errors():
            options = {"stream_results": True, "max_row_buffer": self.bounds.batch}
            result = self._connection.execute(sqlalchemy.text(text), bound, execution_options=options)
            if not result.returns_rows:
                result.close()
                raise WarehouseError(ONLY_READS)
            return SQLAlchemyRows(self, result)

    def schema(self) -> Mapping[str, Sequence[Column]]:
        with self.translated_errors():
            inspector = sqlalchemy.inspect(self._connection)
            names = sorted([*inspector.get_table_names(), *inspector.get_view_names()])
            return {
                name: [
                    Column(column["name"], _kind_of(column["type"])) for column in inspector.get_columns(name)
                ]
                for name in names
            }

    def cancel(self) -> None:
        """Interrupt the query on a thread of its own: some drivers block until the query has ended."""
        self._cancelled = True
        threading.Thread(target=self._drop, name="cancel-query", daemon=True).start()

    def _drop(self) -> None:
        with suppress(Exception):  # a driver may raise any error here
            driver: Any = self._connection.connection.driver_connection
            stop = getattr(driver, "interrupt", None) or getattr(driver, "cancel", None) or driver.close
            stop()

    def close(self) -> None:
        with suppress(exc.SQLAlchemyError):
            self._connection.close()

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Translate SQLAlchemy's errors; those of the connection name host and user, so their text is left out."""
        if self._cancelled:
            raise WarehouseCancelledError("The query was cancelled.")
        try:
            yield
        except exc.SQLAlchemyError as error:
            if self._cancelled:
                raise WarehouseCancelledError("The query was cancelled.") from error
            if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
                raise WarehouseUnavailableError(
                    "The connection to the warehouse was lost. Try again, or contact your administrator."
                ) from error
            message = str(getattr(error, "orig", None) or error).partition("\n")[0]
            raise WarehouseError(f"The warehouse cannot execute the query: {message}.") from error


class SQLAlchemyRows:
    """A result that streams, if the driver can stream; the first batch is read at once, to find the kinds."""

    def __init__(self, session: SQLAlchemySession, result: sqlalchemy.CursorResult[Any]) -> None:
        self._session = session
        self._result = result
        self._deadline = time.monotonic() + session.bounds.time.total_seconds()
        self._first = self._fetch()
        self.columns: Sequence[Column] = [
            Column(name, _find_kind(row[at] for row in self._first)) for at, name in enumerate(result.keys())
        ]
        check_names(self.columns)

    def batches(self) -> Iterator[Batch]:
        batch, self._first = self._first, []
        while batch:
            yield batch
            if time.monotonic() > self._deadline:
                raise WarehouseTimeoutError(
                    "The query took longer than a report may run. "
                    "Request a smaller report, or contact your administrator."
                )
            with self._session.translated_errors():
                batch = self._fetch()

    def _fetch(self) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._result.fetchmany(self._session.bounds.batch)]


def _find_kind(values: Iterator[Any]) -> Kind:
    first = next((value for value in values if value is not None), None)
    return next((kind for known, kind in _KINDS if isinstance(first, known)), Kind.TEXT)


def _kind_of(column_type: sqlalchemy.types.TypeEngine[Any]) -> Kind:
    try:
        known = column_type.python_type
    except NotImplementedError:
        return Kind.TEXT
    return next((kind for python, kind in _KINDS if issubclass(known, python)), Kind.TEXT)
