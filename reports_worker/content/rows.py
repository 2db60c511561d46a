"""Rows of a report type, and the columns that describe them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

Row = tuple[Any, ...]
Batch = Sequence[Row]


class Kind(StrEnum):
    """The kind of values in a column: `decimal` is exact (Decimal), `number` is not (float); each value may be None."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True)
class Column:
    """A column; `title` and `unit` (such as EUR or %) are for people."""

    name: str
    kind: Kind
    title: str = ""
    unit: str = ""

    @property
    def heading(self) -> str:
        """The title, or else the name, with the unit."""
        return write_heading(self.title or self.name, self.unit)


def write_heading(title: str, unit: str) -> str:
    """Write a title with its unit: `Revenue (EUR)`."""
    return f"{title} ({unit})" if unit else title


class Rows(Protocol):
    """Rows that can be read once, in batches: the result of a query, or `GivenRows`."""

    @property
    def columns(self) -> Sequence[Column]: ...

    def batches(self) -> Iterator[Batch]: ...


@dataclass(frozen=True)
class GivenRows:
    """Rows from a sequence or an iterable."""

    columns: Sequence[Column]
    rows: Iterable[Row]
    batch: int = 10_000

    def batches(self) -> Iterator[Batch]:
        batch: list[Row] = []
        for row in self.rows:
            batch.append(row)
            if len(batch) == self.batch:
                yield batch
                batch = []
        if batch:
            yield batch


@runtime_checkable
class ReadsWhole(Protocol):
    """Rows that their engine reads faster as a whole."""

    def read_whole(self) -> Sequence[Row]: ...


@runtime_checkable
class WritesParquet(Protocol):
    """Rows that their engine writes into a file without Python."""

    def write_parquet(self, path: Path, most_rows: int) -> int:
        """Write the first rows into a file inside `Bounds.scratch`; return how many there were.

        Numbers stay exact: a HUGEINT, which DuckDB would write as DOUBLE, becomes BIGINT or DECIMAL.
        """
