"""All rows of a table in one Parquet file, exact: the source of every format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from reports_worker.content.report import Table, is_count
from reports_worker.content.rows import Column, WritesParquet
from reports_worker.lib.atomic_file import atomic_write

from .document import Advance, SpooledTable
from .errors import TooManyRowsError, UnfitRowsError
from .parquet_database import describe_parquet, open_database, run_aside
from .spool_parts import Parts, slice_batch

NAME = re.compile(r"[a-z0-9_]{1,64}")


class Spool:
    """The tables of one report.

    `most_rows` limits all tables together; `advance` gets the number of all rows so far. `tell` is called at intervals
    while an engine writes rows itself.
    """

    def __init__(
        self,
        folder: Path,
        database: duckdb.DuckDBPyConnection,
        most_rows: int,
        advance: Advance,
        tell: Callable[[], None],
    ) -> None:
        self.rows = 0
        self._folder = folder
        self._database = database
        self._most_rows = most_rows
        self._advance = advance
        self._tell = tell
        self._names: set[str] = set()

    def add(self, table: Table) -> SpooledTable:
        """Read all rows of a table.

        Raises TooManyRowsError, UnfitRowsError, OSError, and whatever the rows raise.
        """
        if not NAME.fullmatch(table.name) or table.name in self._names:
            raise UnfitRowsError(
                f"{table.name!r} cannot be the name of a table: it must be one of its own, of up to 64 small "
                "letters, digits and underscores."
            )
        if table.expected is not None and not is_count(table.expected):
            raise UnfitRowsError(
                f"Table {table.name!r} has {table.expected!r:.50} as `expected`, which must be a whole number of rows."
            )
        self._names.add(table.name)
        path = self._folder / f"{table.name}.spool.parquet"
        with atomic_write(path) as aside:
            columns, rows = self._write(table, aside)
        return SpooledTable(
            table.name, table.title, columns, path, self._database, rows, table.expected, table.cut
        )

    def _write(self, table: Table, path: Path) -> tuple[Sequence[Column], int]:
        rows = table.rows
        if isinstance(rows, WritesParquet):
            count = self._have_written(rows, path)
            self._count(count, table)
            return self._read_names(path, _describe(table)), count
        columns = _name_apart(_describe(table))
        parts = Parts(self._folder, self._database, table.name, columns)
        try:
            for batch in table.rows.batches():
                for some in slice_batch(batch):
                    self._count(len(some), table)
                    parts.append(some)
            return parts.join(path), parts.rows
        finally:
            parts.remove()

    def _have_written(self, rows: WritesParquet, path: Path) -> int:
        """Have an engine write its rows, and one more than allowed, which shows that there are too many."""
        counts: list[int] = []
        most_rows = self._most_rows - self.rows + 1
        run_aside(
            lambda: counts.append(rows.write_parquet(path, most_rows)), tell=self._tell, stop=lambda: None
        )
        return counts[0]

    def _count(self, rows: int, table: Table) -> None:
        self.rows += rows
        if self.rows > self._most_rows:
            raise TooManyRowsError(self.rows, self._most_rows, table.name)
        self._advance(self.rows)

    def _read_names(self, path: Path, columns: Sequence[Column]) -> Sequence[Column]:
        found = describe_parquet(self._database, path)
        return [replace(column, name=stored.name) for column, stored in zip(columns, found, strict=True)]


@contextmanager
def open_spool(
    folder: Path, *, most_rows: int, advance: Advance, tell: Callable[[], None] = lambda: None
) -> Iterator[Spool]:
    """Write the spool into this folder; the files remain. Its tables can be read until it is closed."""
    with open_database(folder) as database:
        yield Spool(folder, database, most_rows, advance, tell)


def _describe(table: Table) -> list[Column]:
    """Return the columns of the rows, with the titles and units of the table."""
    described = {column.name: column for column in table.columns}
    return [
        replace(
            column,
            title=described[column.name].title or column.title,
            unit=described[column.name].unit or column.unit,
        )
        if column.name in described
        else column
        for column in table.rows.columns
    ]


def _name_apart(columns: Sequence[Column]) -> list[Column]:
    """Number repeated names, since files need unique names in any spelling."""
    seen: set[str] = set()
    named = []
    for place, column in enumerate(columns, 1):
        base = name = column.name or f"column_{place}"
        number = 2
        while name.lower() in seen:
            name, number = f"{base}_{number}", number + 1
        seen.add(name.lower())
        named.append(replace(column, name=name))
    return named
