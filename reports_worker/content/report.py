"""The content of a report: figures, tables and charts, as values that know no file and no engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .rows import Column, Row, Rows

# The most rows of a chart that are drawn: the first ones.
MOST_CHART_ROWS = 5_000


def is_count(value: object) -> bool:
    """Test whether a value can be a number of rows."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


@dataclass(frozen=True)
class Table:
    """A table of the report; files contain all its rows.

    `name` is part of file names: lower-case letters, digits and underscores. `columns` gives titles and units
    to columns of the rows, by name. If the type leaves rows out, `expected` is the number of all rows, and `cut` the
    sentence that describes the rest.
    """

    name: str
    title: str
    rows: Rows
    columns: Sequence[Column] = ()
    expected: int | None = None
    cut: str | None = None


@dataclass(frozen=True)
class Chart:
    """A picture of few rows, as one Vega-Lite specification.

    `name` is part of file names: lower-case letters, digits and underscores; other characters are replaced. `spec`
    has no data and no colours: the product adds rows, titles and palette. `columns` and `rows` are also the chart's
    equivalent for readers who cannot see it. The first 5,000 rows are drawn, and the picture states how many are
    not. `table` is the name of the report's table that has all rows, if the chart has some of them. If the type
    leaves rows out, `expected` is the number of all rows, and `cut` the sentence that describes the rest.
    """

    name: str
    title: str
    spec: Mapping[str, Any]
    columns: Sequence[Column]
    rows: Iterable[Row]
    description: str = ""
    expected: int | None = None
    cut: str | None = None
    table: str | None = None


@dataclass(frozen=True)
class Contents:
    """The content of a report. `summary` has the figures, ready for JSON; `units` has their units, by name."""

    summary: Mapping[str, Any]
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    as_of: datetime | None = None
