"""A session at a Spark Connect server: what runs there, for how long, and how it is ended."""

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

from reports_worker.contents import Batch, Column, Rows

from .engines import Bounds
from .errors import (
    WarehouseCancelledError,
    WarehouseError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)
from .placeholders import Style, bind
from .spark_addresses import SparkPlace
from .spark_errors import translate
from .spark_folder import SparkTable, find_tables, list_files, read_table
from .spark_queries import DIALECT, check_query
from .spark_values import find_kind, read_batch

log = logging.getLogger(__name__)

CONNECT_SECONDS = 30
INTERRUPT_EVERY_SECONDS = 0.5
# After so long of asking for an end in vain, the connection is cut.
INTERRUPT_SECONDS = 5
# What ends a report, whichever table it reads.
_ENDS = (WarehouseUnavailableError, WarehouseCancelledError, WarehouseTimeoutError)
_STYLE = Style(mark=lambda name: f":{name}")


class SparkWarehouseSession:
    """A session of its own at the server. One that was cancelled runs nothing more."""

    def __init__(self, spark: SparkSession, bounds: Bounds) -> None:
        self._spark = spark
        self._bounds = bounds
        self._tables: Mapping[str, Sequence[Column]] | None = None
        self._folder = ""
        self._found: Mapping[str, SparkTable] = {}
        self._faults: dict[str, str] = {}
        self._running = 0
        self._reason: WarehouseError | None = None
        self._as_of = datetime.now(UTC)
        # A report says at once that the server is away, where pyspark would ask again for ten minutes.
        spark.client.set_retry_policies([])

    @property
    def as_of(self) -> datetime:
        return self._as_of

    def open(self, place: SparkPlace) -> None:
        """Reach the server, and lay down what holds for the session."""
        unreachable = WarehouseUnavailableError(f"Spark does not answer within {CONNECT_SECONDS} seconds.")
        with self.watch(unreachable, seconds=CONNECT_SECONDS):
            self._spark.conf.set("spark.sql.session.timeZone", "UTC")
            # `${...}` in a query would be replaced by the server's settings and environment.
            self._spark.conf.set("spark.sql.variable.substitute", "false")
            # A path would do as a table's name.
            self._spark.conf.set("spark.sql.runSQLOnFiles", "false")
            self._spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(self._bounds.batch))
        with self.watch():
            if place.database:
                self._spark.catalog.setCurrentDatabase(place.database)
            if place.folder:
                self._tables = self._name_tables(place.folder)

    def execute(self, sql: str, values: Mapping[str, Any]) -> Rows:
        text, bound = bind(sql, values, dialect=DIALECT, style=_STYLE)
        text = check_query(text, self._tables, self._faults)
        with self.watch():
            frame: Any = self._spark.sql(text, args=bound)
            return SparkRows(self, frame, _columns(frame.schema))

    def schema(self) -> Mapping[str, Sequence[Column]]:
        if self._tables is not None:
            return self._tables
        with self.watch():
            names = [table.name for table in self._spark.catalog.listTables()]
            return {name: _columns(self._spark.table(f"`{name}`").schema) for name in names}

    def cancel(self) -> None:
        self._stop(WarehouseCancelledError("The query was cancelled."))

    def close(self) -> None:
        """Tell the server that this session ends, and with it what it runs."""
        cut = self._cut_after(INTERRUPT_SECONDS)
        with suppress(Exception):
            self._spark.client.release_session()
        cut.cancel()
        self._spark.client.close()

    @contextmanager
    def watch(self, error: WarehouseError | None = None, *, seconds: float | None = None) -> Iterator[None]:
        """Run what asks Spark something: no longer than it may, and with its errors as ours."""
        seconds = self._bounds.time.total_seconds() if seconds is None else seconds
        error = error or WarehouseTimeoutError(f"A query took longer than the {seconds:g} seconds it may.")
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
        """Raise why all ends here, if it does."""
        if self._reason is not None:
            raise self._reason

    def _stop(self, reason: WarehouseError) -> None:
        if self._reason is None:
            self._reason = reason
            threading.Thread(target=self._interrupt, name="spark-interrupt", daemon=True).start()

    def _interrupt(self) -> None:
        """Ask for the end of all that runs until nothing does: a query may be on its way to the server."""
        never = threading.Event()
        cut = self._cut_after(INTERRUPT_SECONDS)
        while self._running and not self._spark.client.is_closed:
            with suppress(Exception):
                self._spark.interruptAll()
            never.wait(INTERRUPT_EVERY_SECONDS)
        cut.cancel()

    def _cut_after(self, seconds: float) -> threading.Timer:
        """Leave a server that does not answer in time."""
        cut = threading.Timer(seconds, self._spark.client.close)
        cut.daemon = True
        cut.start()
        return cut

    def check_files(self) -> None:
        """Raise WarehouseUnavailableError if a file of the folder is not what it was when the report began."""
        if not self._folder:
            return
        now = list_files(self._spark, self._folder)
        for table, found in self._found.items():
            for name, identity in found.files.items():
                if now.get(name) != identity:
                    raise WarehouseUnavailableError(
                        f"The warehouse's table {table!r} changed while the report read it: {name} was renewed or "
                        "removed. Try again when that is done."
                    )

    def _name_tables(self, folder: str) -> Mapping[str, Sequence[Column]]:
        """Give each table of the folder its name, as a view of this session alone."""
        self._folder, self._found = folder, find_tables(self._spark, folder)
        tables = {}
        for name, table in self._found.items():
            try:
                tables[name] = self._name_table(folder, name, table)
            except _ENDS:
                raise
            except WarehouseError as fault:
                self._faults[name.lower()] = str(fault)
                log.warning("%s", fault)
        return tables

    def _name_table(self, folder: str, name: str, table: SparkTable) -> Sequence[Column]:
        """Raise WarehouseError where this table cannot be read, and the others may."""
        cannot = f"The warehouse's table {name!r} cannot be read"
        if table.fault:
            raise WarehouseError(f"{cannot}: {table.fault}.")
        try:
            frame = read_table(self._spark, folder, table)
            frame.createOrReplaceTempView(name)
            return _columns(frame.schema)
        except WarehouseError as fault:
            raise WarehouseError(f"{cannot}: {fault}.") from fault
        except Exception as error:
            self.check()
            meaning = translate(error)
            if isinstance(meaning, _ENDS):
                raise meaning from error
            raise WarehouseError(f"{cannot}: a file of it is damaged, or not written to its end.") from error


@dataclass(frozen=True)
class SparkRows:
    """Rows of a query, which runs when they are asked for."""

    _session: SparkWarehouseSession
    _frame: Any
    columns: Sequence[Column]

    def batches(self) -> Iterator[Batch]:
        client = self._frame.sparkSession.client
        # The public way makes an object of each row, and local times of all.
        plan = self._frame._plan.to_proto(client)
        with self._session.watch():
            for piece in client.to_table_as_iterator(plan, {}):
                # What the server has sent already still comes.
                self._session.check()
                if isinstance(piece, pa.Table) and piece.num_rows:
                    yield read_batch(piece)
            self._session.check_files()


def _columns(schema: Any) -> Sequence[Column]:
    return tuple(Column(field.name, find_kind(field.dataType)) for field in schema.fields)
