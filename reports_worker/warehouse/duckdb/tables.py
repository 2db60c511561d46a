"""The tables of a folder in DuckDB: each becomes a view when a query first names it."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import duckdb

from reports_worker.lib.sql import quote_name
from reports_worker.warehouse.errors import WarehouseError, WarehouseUnavailableError

from .csv import select_csv
from .errors import to_file_error
from .folder import PARQUET, DataFile, FolderTable, find_tables
from .held_files import HeldFiles, to_change_error
from .parquet import select_parquet
from .parts import LinkedFile, fold
from .statements import Named

log = logging.getLogger(__name__)

_MISSING = re.compile(r"Catalog Error: Table with name (.+) does not exist!")
_MOST_NAMED = 20


@dataclass(frozen=True)
class _Place:
    table: FolderTable
    file: DataFile
    linked: LinkedFile


class FolderTables:
    """The state of a folder at the creation of this object. A table that cannot be read fails only its own queries."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        tables = find_tables(folder)
        self._tables: Mapping[str, FolderTable] = {fold(table.name): table for table in tables}
        self._held = HeldFiles([file for table in tables for file in table.files], scratch)
        self._made: dict[str, FolderTable] = {}
        self._faults: dict[str, WarehouseError] = {}
        self._places: dict[str, _Place] = {}
        self._lock = threading.Lock()

    def prepare(self, connection: duckdb.DuckDBPyConnection, named: Named) -> Sequence[FolderTable]:
        """Create the views of the tables that a statement names; return these tables.

        Raises the fault of a table that cannot be read, unless a WITH clause of the statement defines this name.
        """
        if any("/" in name for name in named.tables):
            raise WarehouseError(
                "The query reads outside the warehouse's tables, which is not allowed: name a table, not a file."
            )
        known = [name for name in named.tables if name in self._tables]
        if any(name not in self._tables and name not in named.given for name in named.tables):
            # A statement that lists tables needs all tables.
            self.prepare_all(connection)
        made = []
        for name in known:
            try:
                made.append(self._make(connection, name))
            except WarehouseError:
                if name not in named.given:
                    raise
        return made

    def prepare_all(self, connection: duckdb.DuckDBPyConnection) -> Sequence[FolderTable]:
        """Create the views of all readable tables."""
        made = []
        for name in self._tables:
            try:
                made.append(self._make(connection, name))
            except WarehouseError as error:
                log.debug("left out: %s", error)
        return made

    def check(self, tables: Iterable[FolderTable]) -> None:
        """Raise WarehouseUnavailableError if a file of these tables has changed since the report began."""
        for table in tables:
            if changed := self._held.find_changed(table.files):
                raise to_change_error(table.name, changed)

    def translate(self, error: duckdb.Error) -> WarehouseError | None:
        """Translate an error about a table or file of this folder; return None for any other error."""
        text = str(error)
        if missing := _MISSING.match(text):
            return self._describe_missing(missing[1])
        links = self._held.find_links(text)
        place = next((self._places[link] for link in links if link in self._places), None)
        if place is None:
            return None
        if self._held.find_changed(place.table.files) or isinstance(error, duckdb.PermissionException):
            # A file that was moved away has a path that DuckDB must not open.
            return to_change_error(place.table.name, place.file)
        return to_file_error(error, place.table.name, place.linked, place.table.kind)

    def close(self) -> None:
        self._held.close()

    def _describe_missing(self, name: str) -> WarehouseError:
        """List the tables that there are, similar names first: DuckDB would suggest tables of its own."""
        names = sorted(table.name for table in self._tables.values())
        names = list(dict.fromkeys(get_close_matches(name, names) + names))
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        there = f"its tables are {', '.join(names[:_MOST_NAMED])}{more}" if names else "it has no tables"
        return WarehouseError(f"The warehouse has no table {name!r}: {there}.")

    def _make(self, connection: duckdb.DuckDBPyConnection, key: str) -> FolderTable:
        with self._lock:
            table = self._tables[key]
            if key in self._faults:
                raise self._faults[key]
            if key not in self._made:
                try:
                    self._make_view(connection, key, table)
                except WarehouseError as fault:
                    self._faults[key] = fault
                    log.warning("%s", fault)
                    raise
                self._made[key] = table
            return table

    def _make_view(self, connection: duckdb.DuckDBPyConnection, key: str, table: FolderTable) -> None:
        if table.fault:
            raise _unreadable(table, table.fault)
        if fault := self._find_fault(table):
            raise _unreadable(table, f"{fault}. Contact your administrator")
        self.check([table])
        linked = self._link(key, table)
        select = select_parquet if table.kind == PARQUET else select_csv
        try:
            source = select(connection, linked)
            connection.execute(f"CREATE VIEW {quote_name(table.name)} AS {source}")
        except WarehouseError as error:
            raise WarehouseError(f"The warehouse's table {table.name!r} cannot be read: {error}.") from error
        except duckdb.Error as error:
            raise self.translate(error) or error from error
        self.check([table])

    def _find_fault(self, table: FolderTable) -> str:
        faults = self._held.faults
        return next((f"{file.name}: {faults[file]}" for file in table.files if file in faults), "")

    def _link(self, key: str, table: FolderTable) -> Sequence[LinkedFile]:
        number = list(self._tables).index(key)
        linked = []
        for place, file in enumerate(table.files):
            link = self._held.link(file, table=number, number=place)
            linked.append(LinkedFile(link, file.name, file.partitions))
            self._places[link] = _Place(table, file, linked[-1])
        return linked


def _unreadable(table: FolderTable, fault: str) -> WarehouseUnavailableError:
    return WarehouseUnavailableError(f"The warehouse's table {table.name!r} cannot be read: {fault}.")
