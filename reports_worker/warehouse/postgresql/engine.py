"""PostgreSQL, by psycopg: one read-only transaction for each report, with server-side cursors."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

import psycopg
from psycopg import errors
from psycopg.adapt import AdaptersMap
from psycopg.types.string import TextLoader

from reports_worker.content.rows import Batch, Column, Kind
from reports_worker.warehouse.address import WarehouseAddress
from reports_worker.warehouse.engine import Bounds, check_names
from reports_worker.warehouse.errors import (
    WarehouseCancelledError,
    WarehouseError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)
from reports_worker.warehouse.placeholders import Style, bind

# How often the server checks its client (PostgreSQL 14 and newer, not on Windows).
CLIENT_CHECK_SECONDS = 2
_CONNECT_SECONDS = 10
_CANCEL_SECONDS = 1
# A network that drops packets is noticed within half a minute.
_SOCKET = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_STYLE = Style(mark=lambda name: f"%({name})s", escape=lambda text: text.replace("%", "%%"), arrays=True)
_KINDS = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), Kind.INTEGER),
    **dict.fromkeys(("float4", "float8"), Kind.NUMBER),
    **dict.fromkeys(("timestamp", "timestamptz"), Kind.TIMESTAMP),
    "bool": Kind.BOOLEAN,
    "date": Kind.DATE,
    "numeric": Kind.DECIMAL,
}
_WITH_ZONE = psycopg.adapters.types["timestamptz"].oid
_LOST = "The connection to the warehouse was lost. Try again, or contact your administrator."
_SCHEMA = """
SELECT c.relname, a.attname, a.atttypid::int
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> 'pg_catalog'::regnamespace
  AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
ORDER BY c.relname, a.attnum
"""


def create_engine(address: WarehouseAddress) -> PostgreSQLEngine:
    return PostgreSQLEngine(address.options)


class PostgreSQLEngine:
    """Opens read-only sessions. The rights of the role decide whether a query may call functions with side effects."""

    dialect = "postgres"

    def __init__(self, options: Mapping[str, str]) -> None:
        self._options = dict(options)

    def connect(self, bounds: Bounds) -> PostgreSQLSession:
        options: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, **_SOCKET, **self._options}
        try:
            connection = psycopg.connect(
                **options, application_name="background-reports", autocommit=True, context=_adapters()
            )
        except psycopg.Error as error:
            raise _translate_login(error) from error
        session = PostgreSQLSession(connection, bounds)
        try:
            session.begin()
        except BaseException:
            connection.close()
            raise
        return session


class PostgreSQLSession:
    """One transaction: all queries of a report see the same state of the data."""

    def __init__(self, connection: psycopg.Connection[Any], bounds: Bounds) -> None:
        self._connection = connection
        self.bounds = bounds
        self._as_of = datetime.now(UTC)
        self._cancelled = False
        self._numbers = count(1)
        self._cursors: set[psycopg.ServerCursor[Any]] = set()

    @property
    def as_of(self) -> datetime:
        return self._as_of

    def begin(self) -> None:
        """Set the limits of the session, then begin its transaction; the first query takes the snapshot."""
        milliseconds = int(self.bounds.time.total_seconds() * 1000)
        with self.translated_errors():
            self._connection.execute(
                # A report reads all rows of a cursor, so the planner must optimize for all rows.
                "SELECT set_config('cursor_tuple_fraction', '1', false), "
                "set_config('default_transaction_read_only', 'on', false), "
                "set_config('statement_timeout', %(time)s, false), set_config('TimeZone', 'UTC', false), "
                "set_config('idle_in_transaction_session_timeout', %(time)s, false)",
                {"time": str(milliseconds)},
            )
            if self._connection.info.server_version >= 140000:
                with suppress(errors.InvalidParameterValue, errors.FeatureNotSupported):
                    self._connection.execute(
                        f"SET client_connection_check_interval = '{CLIENT_CHECK_SECONDS}s'"
                    )
            self._connection.autocommit = False
            self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._connection.read_only = True
            row = self._connection.execute("SELECT now()").fetchone()
            self._as_of = row[0] if row else self._as_of

    def execute(self, sql: str, values: Mapping[str, Any]) -> PostgreSQLRows:
        text, bound = bind(sql, values, dialect="postgres", style=_STYLE)
        cursor = self._connection.cursor(f"report_{next(self._numbers)}")
        self._cursors.add(cursor)
        try:
            with self.translated_errors():
                # DECLARE accepts only a SELECT that does not write. The query runs when rows are fetched.
                cursor.execute(text.encode(), bound)
            return PostgreSQLRows(self, cursor, text.encode(), bound)
        except BaseException:
            self.close_cursor(cursor)
            raise

    def schema(self) -> Mapping[str, Sequence[Column]]:
        with self.translated_errors():
            rows = self._connection.execute(_SCHEMA).fetchall()
        tables: dict[str, list[Column]] = {}
        for table, name, oid in rows:
            tables.setdefault(table, []).append(Column(name, find_kind(oid)))
        return tables

    def cancel(self) -> None:
        self._cancelled = True
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=_CANCEL_SECONDS)

    def close(self) -> None:
        """Close the connection; the server ends queries that still run when it notices the loss of its client."""
        self._connection.close()
        for cursor in list(self._cursors):
            self.close_cursor(cursor)

    def fetch(self, text: bytes, values: Mapping[str, Any]) -> Batch:
        """Run a statement that a cursor was declared for before, so it is one SELECT that does not write."""
        with self.translated_errors():
            return self._connection.execute(text, values).fetchall()

    def close_cursor(self, cursor: psycopg.ServerCursor[Any]) -> None:
        self._cursors.discard(cursor)
        with suppress(psycopg.Error):
            cursor.close()

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Translate errors of the server and of psycopg."""
        if self._cancelled:
            raise WarehouseCancelledError("The query was cancelled.")
        began = time.monotonic()
        try:
            yield
        except psycopg.Error as error:
            if self._cancelled:
                raise WarehouseCancelledError("The query was cancelled.") from error
            late = time.monotonic() - began >= self.bounds.time.total_seconds() * 0.9
            raise _translate(error, late=late, lost=self._connection.closed) from error


class PostgreSQLRows:
    """The rows of a server-side cursor, in batches."""

    def __init__(
        self,
        session: PostgreSQLSession,
        cursor: psycopg.ServerCursor[Any],
        text: bytes,
        values: Mapping[str, Any],
    ) -> None:
        self._session = session
        self._cursor = cursor
        self._text = text
        self._values = values
        described = cursor.description or []
        self.columns: Sequence[Column] = [
            Column(column.name, find_kind(column.type_code)) for column in described
        ]
        check_names(self.columns)
        self._zoned = [at for at, column in enumerate(described) if column.type_code == _WITH_ZONE]

    def batches(self) -> Iterator[Batch]:
        session, cursor = self._session, self._cursor
        deadline = time.monotonic() + session.bounds.time.total_seconds()
        try:
            while True:
                with session.translated_errors():
                    batch = cursor.fetchmany(session.bounds.batch)
                if not batch:
                    return
                yield self._convert(batch)
                if time.monotonic() > deadline:
                    raise _timeout()
        finally:
            session.close_cursor(cursor)

    def read_whole(self) -> Batch:
        """Run the query without the cursor: with a cursor, the server uses no parallel workers."""
        self._session.close_cursor(self._cursor)
        return self._convert(self._session.fetch(self._text, self._values))

    def _convert(self, batch: Batch) -> Batch:
        return _without_zones(batch, self._zoned) if self._zoned else batch


def find_kind(oid: int) -> Kind:
    """Return the kind for a type of PostgreSQL."""
    info = psycopg.adapters.types.get(oid)
    return _KINDS.get(info.name, Kind.TEXT) if info and info.oid == oid else Kind.TEXT


@cache
def _adapters() -> AdaptersMap:
    """Return psycopg's adapters, which load values of types without a kind as text."""
    adapters = AdaptersMap(psycopg.adapters)
    for info in psycopg.adapters.types:
        if info.name not in _KINDS:
            adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            adapters.register_loader(info.array_oid, TextLoader)
    return adapters


def _without_zones(batch: Batch, columns: Sequence[int]) -> Batch:
    """Convert timestamps with a zone to UTC without a zone, as all engines do."""
    rows = [list(row) for row in batch]
    for row in rows:
        for at in columns:
            if row[at] is not None:
                row[at] = row[at].astimezone(UTC).replace(tzinfo=None)
    return [tuple(row) for row in rows]


def _translate_login(error: psycopg.Error) -> WarehouseUnavailableError:
    """Translate an error of the connection, without the server's text, which names host and user."""
    text = str(error)
    if "authentication failed" in text or "pg_hba.conf" in text or "no password supplied" in text:
        return WarehouseUnavailableError(
            "The warehouse refuses the login. Contact your administrator to check user and password in "
            "ConnectionStrings__warehouse."
        )
    if "does not exist" in text:
        return WarehouseUnavailableError(
            "The warehouse's server has no such database or user. Contact your administrator to check "
            "ConnectionStrings__warehouse."
        )
    return WarehouseUnavailableError(
        "The warehouse does not answer. Try again later, or contact your administrator."
    )


def _translate(error: psycopg.Error, *, late: bool, lost: bool) -> WarehouseError:
    if isinstance(error, errors.QueryCanceled):
        return _timeout() if late else WarehouseError("The query was cancelled in the database.")
    if lost or isinstance(error, (errors.OperatorIntervention, errors.IdleInTransactionSessionTimeout)):
        return WarehouseUnavailableError(_LOST)
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return WarehouseError("Reports only read: the database refused a query that writes.")
    if (error.sqlstate or "").startswith("53"):
        return WarehouseUnavailableError(
            "The warehouse's server lacks memory, space or connections: try again later."
        )
    message = error.diag.message_primary or str(error).partition("\n")[0]
    return WarehouseError(f"The warehouse cannot execute the query: {message}.")


def _timeout() -> WarehouseTimeoutError:
    return WarehouseTimeoutError(
        "The query took longer than a report may run. Request a smaller report, or contact your administrator."
    )
