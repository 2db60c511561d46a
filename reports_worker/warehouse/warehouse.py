"""The warehouse as a report type uses it: queries in one dialect for all engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reports_worker.content.rows import Column, ReadsWhole, Row, Rows

from .dialects import translate
from .engine import Session


@dataclass(frozen=True)
class Query:
    """SQL in DuckDB's dialect, which is translated for other engines; `:name` stands for a bound value.

    Where a translation would be wrong, `overrides` has the text for an engine, by sqlglot's name for its dialect. A
    tuple stands for several values: `region IN (:regions)`. A `native` query is already in the dialect of the
    warehouse.
    """

    sql: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    native: bool = False

    def text_for(self, dialect: str) -> str:
        """Return the query in the dialect of an engine; placeholders stay."""
        if dialect in self.overrides:
            return self.overrides[dialect]
        return self.sql if self.native else translate(self.sql, dialect)


@dataclass(frozen=True)
class Warehouse:
    """A read-only session. Rows stream out in batches; errors are WarehouseErrors."""

    session: Session
    dialect: str

    @property
    def as_of(self) -> datetime:
        return self.session.as_of

    def query(self, query: Query | str, /, **values: Any) -> Rows:
        """Run a query; its rows stream, and can be read once."""
        query = Query(query) if isinstance(query, str) else query
        return self.session.execute(query.text_for(self.dialect), values)

    def fetch(self, query: Query | str, /, **values: Any) -> Sequence[Row]:
        """Run a query with few rows; return all rows."""
        rows = self.query(query, **values)
        if isinstance(rows, ReadsWhole):
            return rows.read_whole()
        return [row for batch in rows.batches() for row in batch]

    def schema(self) -> Mapping[str, Sequence[Column]]:
        """Return the readable tables with their columns."""
        return self.session.schema()

    def cancel(self) -> None:
        """Cancel the running queries; may be called from any thread."""
        self.session.cancel()

    def close(self) -> None:
        self.session.close()
