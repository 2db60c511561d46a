"""A session at a Spark Connect server: its queries, their time limit, and their cancellation."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyspark.sql.connect.session import SparkSession

from reports_worker.content.rows import Batch, Column, Rows
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.errors import (
    WarehouseCancelledError,
    WarehouseError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)
from reports_worker.warehouse.placeholders import Style, bind

from .address import SparkPlace
from .errors import translate
from .folder import SparkTable, find_tables, list_files, read_table
from .queries import DIALECT, check_query, list_tables
from .values import find_kind, read_batch

log = logging.getLogger(__name__)

CONNECT_SECONDS = 30
INTERRUPT_EVERY_SECONDS = 0.5
# The connection is closed when the server has not interrupted its queries within this time.
INTERRUPT_SECONDS = 5
# Errors that end the report, not the read of one table alone.
_FATAL = (WarehouseUnavailableError, WarehouseCancelledError, WarehouseTimeoutError)
_STYLE = Style(mark=lambda name: f":{name}")


class SparkWarehouseSession:
    """A session of one report at the server. A cancelled session runs no more queries."""

    def __init__(self, spark: SparkSession, bounds: Bounds) -> None:
        self._spark = spark
        self._bounds = bounds
        self._folder = ""
        self._found: Mapping[str, SparkTable] = {}
        self._tables: dict[str, Sequence[Column]] = {}
        self._faults: dict[str, _UnreadableError] = {}
        self._running = 0
        self._reason: WarehouseError | None = None
        self._as_of = datetime.now(UTC)
        # pyspark would retry for ten minutes before it reports that the server is unavailable.
        spark.client.set_retry_policies([])

    @property
    def as_of(self) -> datetime:
        return self._as_of

    def open(self, place: SparkPlace) -> None:
        """Connect to the server, and configure the session."""
        unreachable = WarehouseUnavailableError(f"Spark does not answer within {CONNECT_SECONDS} seconds.")
        with self.watch(unreachable, seconds=CONNECT_SECONDS):
            self._spark.conf.set("spark.sql.session.timeZone", "UTC")
            # `${...}` in a query would be replaced by the server's settings and environment.
            self._spark.conf.set("spark.sql.variable.substitute", "false")
            # Otherwise a query could use a path as the name of a table.
            self._spark.conf.set("spark.sql.runSQLOnFiles", "false")
            self._spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(self._bounds.batch))
        with self.watch():
            if place.database:
                self._spark.catalog.setCurrentDatabase(place.database)
            if place.folder:
                self._folder, self._found = place.folder, find_tables(self._spark, place.folder)

    def execute(self, sql: str, values: Mapping[str, Any]) -> Rows:
        text, bound = bind(sql, values, dialect=DIALECT, style=_STYLE)
        text = check_query(text, self._found if self._folder else None)
        with self.watch():
            for key in self._found.keys() & list_tables(text):
                self._name_table(key)
            frame: Any = self._spark.sql(text, args=bound)
            return SparkRows(self, frame, _columns(frame.schema))

    def schema(self) -> Mapping[str, Sequence[Column]]:
        with self.watch():
            for key in self._found:
                with suppress(_UnreadableError):
                    self._name_table(key)
            if self._folder:
                return dict(self._tables)
            names = [table.name for table in self._spark.catalog.listTables()]
            return {name: _columns(self._spark.table(f"`{name}`").schema) for name in names}

    def cancel(self) -> None:
        self._stop(WarehouseCancelledError("The query was cancelled."))

    def close(self) -> None:
        """Release the session at the server, which ends its queries, and close the connection."""
        timer = self._close_after(INTERRUPT_SECONDS)
        with suppress(Exception):
            self._spark.client.release_session()
        timer.cancel()
        self._spark.client.close()

    @contextmanager
    def watch(self, error: WarehouseError | None = None, *, seconds: float | None = None) -> Iterator[None]:
        """Run requests to Spark with a time limit, and translate their errors."""
        seconds = self._bounds.time.total_seconds() if seconds is None else seconds
        error = error or WarehouseTimeoutError(
            f"A query took longer than the {seconds:g} seconds that it may run."
        )
        timer = threading.Timer(seconds, self._stop, [error])
        timer.daemon = True
        timer.start()
        self._running += 1
        try:
            self.check()
            yield
        except WarehouseError:
            raise
        except Exception as fault:
            raise (self._reason or translate(fault)) from fault
        finally:
            self._running -= 1
            timer.cancel()

    def check(self) -> None:
        """Raise the reason if the session was stopped."""
        if self._reason is not None:
            raise self._reason

    def _stop(self, reason: WarehouseError) -> None:
        if self._reason is None:
            self._reason = reason
            threading.Thread(target=self._interrupt, name="spark-interrupt", daemon=True).start()

    def _interrupt(self) -> None:
        """Interrupt all queries again and again until none runs: a query may still be on its way to the server."""
        never = threading.Event()
        timer = self._close_after(INTERRUPT_SECONDS)
        while self._running and not self._spark.client.is_closed:
            with suppress(Exception):
                self._spark.interruptAll()
            never.wait(INTERRUPT_EVERY_SECONDS)
        timer.cancel()

    def _close_after(self, seconds: float) -> threading.Timer:
        """Close the connection to a server that does not answer in time."""
        timer = threading.Timer(seconds, self._spark.client.close)
        timer.daemon = True
        timer.start()
        return timer

    def check_files(self) -> None:
        """Raise WarehouseUnavailableError if a file of the folder has changed since the report began."""
        if not self._folder:
            return
        now = list_files(self._spark, self._folder)
        for table in self._found.values():
            changed = next((name for name, known in table.files.items() if now.get(name) != known), None)
            if changed and table.name in self._tables:
                raise WarehouseUnavailableError(
                    f"The warehouse's table {table.name!r} changed while the report read it: {changed} was replaced "
                    "or removed. Try again when the change is complete."
                )

    def _name_table(self, key: str) -> None:
        """Create the view of a table of the folder, in this session alone."""
        table = self._found[key]
        if key in self._faults:
            raise self._faults[key]
        if table.name in self._tables:
            return
        try:
            frame = read_table(self._spark, self._folder, table)
            frame.createOrReplaceTempView(table.name)
            self._tables[table.name] = _columns(frame.schema)
        except Exception as error:
            self.check()
            fault = error if isinstance(error, WarehouseError) else translate(error)
            if isinstance(fault, _FATAL):
                raise fault from error
            reason = fault if fault is error else "one of its files is damaged, or not completely written"
            self._faults[key] = _UnreadableError(
                f"The warehouse's table {table.name!r} cannot be read: {reason}."
            )
            log.warning("%s", self._faults[key])
            raise self._faults[key] from error


class _UnreadableError(WarehouseError):
    """One table cannot be read; others may be readable."""


@dataclass(frozen=True)
class SparkRows:
    """The rows of a query, which runs when the rows are read."""

    _session: SparkWarehouseSession
    _frame: Any
    columns: Sequence[Column]

    def batches(self) -> Iterator[Batch]:
        client = self._frame.sparkSession.client
        # pyspark's public interface makes an object of each row, and local times.
        plan = self._frame._plan.to_proto(client)
        with self._session.watch():
            for piece in client.to_table_as_iterator(plan, {}):
                # Batches that the server has already sent still arrive after a cancel.
                self._session.check()
                if isinstance(piece, pa.Table) and piece.num_rows:
                    yield read_batch(piece)
            self._session.check_files()


def _columns(schema: Any) -> Sequence[Column]:
    return tuple(Column(field.name, find_kind(field.dataType)) for field in schema.fields)
