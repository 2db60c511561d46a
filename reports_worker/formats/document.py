"""A report on its way into files: what every format is given, and what it says of each file it wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reports_worker.content.rows import Column
from reports_worker.domain.report import FileFacts
from reports_worker.formats.charts.pictures import Picture


@dataclass(frozen=True)
class SpooledTable:
    """A table of which all rows stand in a Parquet file, the source of all others."""

    name: str
    title: str
    columns: Sequence[Column]
    path: Path
    rows: int
    expected: int | None = None
    cut: str | None = None

    @property
    def rows_expected(self) -> int:
        """How many rows a complete table would have."""
        return self.rows if self.expected is None else max(self.rows, self.expected)

    @property
    def sentence(self) -> str | None:
        """Why it does not hold everything; None if it does."""
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
    """All that goes into files. `parameters` are titles and values as people read them."""

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
        """Why its tables and the rows of its charts are not everything; None if they are."""
        cut = [f"{table.title}: {table.sentence}" for table in self.tables if table.sentence]
        cut += [f"{picture.chart.title}: {picture.sentence}" for picture in self.charts if picture.sentence]
        return " ".join(cut) or None


@dataclass(frozen=True, kw_only=True)
class WrittenFile(FileFacts):
    """A file that lies ready: its facts and where it is."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name


# Told how many rows of a file are done, now and then.
Advance = Callable[[int], None]
# Writes its files into a folder, one after the other.
Write = Callable[[Document, Path, Advance], Iterator[WrittenFile]]
