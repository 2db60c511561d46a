"""What a report is given of its database: queries in one dialect, whichever engine answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reports_worker.contents import Column, Row, Rows

from .engines import Session


@dataclass(frozen=True)
class Query:
    """SQL in DuckDB's dialect, which is translated for other engines; `:name` stands for a bound value.

    Where a translation would not be right, `overrides` has the text for an engine, by sqlglot's name for its
    dialect. A value that is a tuple stands for several: `region IN (:regions)`.
    """

    sql: str
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Warehouse:
    """A read-only session. Rows stream out in batches; errors are WarehouseErrors."""

    session: Session
    dialect: str

    @property
    def as_of(self) -> datetime:
        return self.session.as_of

    def query(self, query: Query | str, /, **values: Any) -> Rows:
        """Run a query; its rows come as they are read, once."""
        raise NotImplementedError

    def fetch(self, query: Query | str, /, **values: Any) -> Sequence[Row]:
        """Run a query of few rows; return all of them."""
        return [row for batch in self.query(query, **values).batches() for row in batch]

    def schema(self) -> Mapping[str, Sequence[Column]]:
        """Tell the tables that can be read, with their columns."""
        return self.session.schema()
