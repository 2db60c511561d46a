"""The input of every format, and the facts of each written file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports_worker.content.rows import Column
from reports_worker.domain.report import FileFacts
from reports_worker.formats.charts.pictures import Picture

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class SpooledTable:
    """A table whose rows are all in a Parquet file, the source of all other files."""

    name: str
    title: str
    columns: Sequence[Column]
    path: Path
    # Can read the file while the report's spool is open.
    database: DuckDBPyConnection
    rows: int
    expected: int | None = None
    cut: str | None = None

    @property
    def rows_expected(self) -> int:
        """The number of rows of the complete table."""
        return self.rows if self.expected is None else max(self.rows, self.expected)

    @property
    def sentence(self) -> str | None:
        """Why the file does not contain all rows; None if it does."""
        if self.cut or self.rows == self.rows_expected:
            return self.cut
        return f"It holds {self.rows:,} of {self.rows_expected:,} rows."


@dataclass(frozen=True)
class Figure:
    """One number of the summary."""

    name: str
    title: str
    value: Any
    unit: str = ""


@dataclass(frozen=True)
class Document:
    """The content of all files. `parameters` are titles and values for people."""

    task_id: str
    title: str
    type: str
    type_title: str
    parameters: Sequence[tuple[str, str]]
    raw_parameters: Mapping[str, Any]
    figures: Sequence[Figure]
    tables: Sequence[SpooledTable]
    charts: Sequence[Picture]
    as_of: datetime
    made_at: datetime
    version: str

    @property
    def sentence(self) -> str | None:
        """Why the tables and the rows of the charts are incomplete; None if they are complete."""
        cut = [f"{table.title}: {table.sentence}" for table in self.tables if table.sentence]
        cut += [f"{picture.chart.title}: {picture.sentence}" for picture in self.charts if picture.sentence]
        return " ".join(cut) or None


@dataclass(frozen=True, kw_only=True)
class WrittenFile(FileFacts):
    """A written file: its facts, and its path."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name


# Called at intervals with the number of rows that are written.
Advance = Callable[[int], None]
# Writes the files of one format into a folder, one after another.
Write = Callable[[Document, Path, Advance], Iterator[WrittenFile]]
