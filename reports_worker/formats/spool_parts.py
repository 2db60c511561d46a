"""The parts of a spooled table, and the number of digits of its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from reports_worker.content.rows import Batch, Column, Kind, Row
from reports_worker.lib.sql import quote_name, quote_text
from reports_worker.lib.valid_text import make_valid

from .errors import UnfitRowsError

BATCH_ROWS = 10_000
# Small, since a row group is in memory until it is written.
PART_ROWS = 40_000
GROUP_ROWS = 40_960
MOST_DIGITS = 38
MEASURED_AT_ONCE = 25
_WHOLE = {int, bool, type(None)}
_WHOLE_TEXT = re.compile(r"[+-]?[0-9]+", re.ASCII)
# The type of a value until all values are known: only then the digits of the column are known.
_STORED = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "HUGEINT",
    Kind.DECIMAL: "VARCHAR",
    Kind.NUMBER: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class _Digits:
    """The digits of a column of exact numbers, and whether 64 bits suffice."""

    are_numbers: bool
    whole: int
    behind: int
    are_small: bool


class Parts:
    """Rows of one table, in several files until they are joined."""

    def __init__(
        self, folder: Path, database: duckdb.DuckDBPyConnection, name: str, columns: Sequence[Column]
    ) -> None:
        if not columns:
            raise UnfitRowsError(f"Table {name!r} has no columns: a table needs one at least.")
        self.rows = 0
        self._folder = folder
        self._database = database
        self._name = name
        self._columns = columns
        self._paths: list[Path] = []
        self._waiting = 0
        self._naive: dict[int, bool] = {}
        self._timestamps = [place for place, column in enumerate(columns) if column.kind is Kind.TIMESTAMP]
        self._integers = [place for place, column in enumerate(columns) if column.kind is Kind.INTEGER]
        self._has_decimals = any(column.kind is Kind.DECIMAL for column in columns)
        self._begin()

    def append(self, batch: Sequence[Row]) -> None:
        self._refuse_other_widths(batch)
        self._refuse_fractions(batch)
        self._look_for_zones(batch)
        try:
            self._appender.append_rows(self._write_decimals(batch) if self._has_decimals else batch)
        except (duckdb.Error, UnicodeError):
            self._append_mended(batch)
        self._appender.flush()
        self.rows += len(batch)
        self._waiting += len(batch)
        if self._waiting >= PART_ROWS:
            self._end()
            self._begin()

    def join(self, path: Path) -> Sequence[Column]:
        """Write the one file; return its columns."""
        self._end()
        columns, casts = [], []
        digits = self._count_digits()
        for place, column in enumerate(self._columns):
            kind, cast = self._choose_type(place, column, digits.get(place))
            columns.append(replace(column, kind=kind))
            casts.append(f"{cast} AS {quote_name(column.name)}")
        self._database.execute(
            f"COPY (SELECT {', '.join(casts)} FROM {self._source}) "
            f"TO {quote_text(str(path))} (FORMAT parquet, ROW_GROUP_SIZE {GROUP_ROWS})"
        )
        return columns

    def remove(self) -> None:
        for path in self._paths:
            path.unlink(missing_ok=True)

    @property
    def _source(self) -> str:
        return f"read_parquet([{', '.join(quote_text(str(path)) for path in self._paths)}])"

    def _begin(self) -> None:
        stored = ", ".join(f"c{place} {_STORED[column.kind]}" for place, column in enumerate(self._columns))
        self._database.execute(f"CREATE OR REPLACE TEMP TABLE rows ({stored})")
        self._appender = self._database.appender("rows")
        self._waiting = 0

    def _end(self) -> None:
        self._paths.append(self._folder / f".{self._name}.{len(self._paths)}.part")
        casts = ", ".join(
            f"c{place}::VARCHAR AS c{place}" if column.kind is Kind.INTEGER else f"c{place}"
            for place, column in enumerate(self._columns)
        )
        self._database.execute(
            f"COPY (SELECT {casts} FROM rows) TO {quote_text(str(self._paths[-1]))} (FORMAT parquet)"
        )
        # The database stays open until all files are written, and would keep the rows on disk.
        self._database.execute("DROP TABLE rows")

    def _write_decimals(self, batch: Sequence[Row]) -> list[Row]:
        """Write exact numbers as text, since DuckDB would round numbers of more than 38 digits."""
        return [
            tuple(format(value, "f") if type(value) is Decimal else value for value in row) for row in batch
        ]

    def _append_mended(self, batch: Sequence[Row]) -> None:
        """Append rows that DuckDB refused: characters that UTF-8 cannot encode become U+FFFD."""
        self._appender.clear()
        try:
            self._appender.append_rows([tuple(map(_mend, row)) for row in batch])
        except (duckdb.Error, UnicodeError) as error:
            raise UnfitRowsError(
                f"A row of table {self._name!r} does not fit its columns: {str(error).splitlines()[0][:300]}"
            ) from error

    def _refuse_other_widths(self, batch: Sequence[Row]) -> None:
        width = len(self._columns)
        for row in batch:
            if len(row) != width:
                raise UnfitRowsError(
                    f"A row of table {self._name!r} does not fit its columns: it has {len(row)} values, and "
                    f"there are {width} columns."
                )

    def _refuse_fractions(self, batch: Sequence[Row]) -> None:
        """Refuse a value that is not whole in a column of integers, since DuckDB would round it."""
        for place in self._integers:
            if {type(row[place]) for row in batch} <= _WHOLE:
                continue
            for row in batch:
                if not _is_whole(row[place]):
                    raise UnfitRowsError(
                        f"A row of table {self._name!r} does not fit its columns: {self._columns[place].name!r} "
                        f"holds whole numbers, and {str(row[place])[:100]} is none."
                    )

    def _look_for_zones(self, batch: Sequence[Row]) -> None:
        """Record for each column of times whether it has a zone, by the first value."""
        for place in self._timestamps:
            if place not in self._naive:
                for row in batch:
                    if isinstance(row[place], datetime):
                        self._naive[place] = row[place].tzinfo is None
                        break

    def _choose_type(self, place: int, column: Column, digits: _Digits | None) -> tuple[Kind, str]:
        name = f"c{place}"
        if column.kind is Kind.TIMESTAMP:
            return column.kind, f"timezone('UTC', {name})" if self._naive.get(place) else name
        if digits is None:
            return column.kind, name
        if not digits.are_numbers or digits.whole + digits.behind > MOST_DIGITS:
            return Kind.TEXT, name
        if column.kind is Kind.INTEGER:
            return column.kind, f"{name}::{'BIGINT' if digits.are_small else 'DECIMAL(38, 0)'}"
        width = 18 if digits.whole + digits.behind <= 18 else MOST_DIGITS
        return column.kind, f"{name}::DECIMAL({width}, {digits.behind})"

    def _count_digits(self) -> dict[int, _Digits]:
        """Find the digits of each column of exact numbers, some columns at once: many are slow to plan."""
        exact = (Kind.INTEGER, Kind.DECIMAL)
        places = [place for place, column in enumerate(self._columns) if column.kind in exact]
        digits: dict[int, _Digits] = {}
        for start in range(0, len(places), MEASURED_AT_ONCE):
            some = places[start : start + MEASURED_AT_ONCE]
            sql = f"SELECT {', '.join(map(_measure, some))} FROM {self._source}"
            found = self._database.execute(sql).fetchone() or ()
            digits |= {place: _Digits(*found[4 * step : 4 * step + 4]) for step, place in enumerate(some)}
        return digits


def _measure(place: int) -> str:
    """Measure a column: all numbers, digits before and behind the point, all within 64 bits."""
    name = f"c{place}"
    return (
        f"coalesce(bool_and(regexp_full_match({name}, '-?[0-9]+([.][0-9]+)?')), true), "
        f"coalesce(max(length(ltrim(split_part({name}, '.', 1), '-'))), 0), "
        f"coalesce(max(length(split_part({name}, '.', 2))), 0), "
        f"coalesce(bool_and(try_cast({name} AS BIGINT) IS NOT NULL) FILTER ({name} IS NOT NULL), true)"
    )


def slice_batch(batch: Batch) -> Iterator[Sequence[Row]]:
    for start in range(0, len(batch), BATCH_ROWS):
        yield batch[start : start + BATCH_ROWS]


def _is_whole(value: Any) -> bool:
    """Test whether a value is a whole number, or one that DuckDB refuses itself."""
    match value:
        case float():
            return value.is_integer()
        case Decimal():
            return value.is_finite() and value == value.to_integral_value()
        case str():
            return _WHOLE_TEXT.fullmatch(value) is not None
        case _:
            return True


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return make_valid(value)
    return format(value, "f") if isinstance(value, Decimal) else value
