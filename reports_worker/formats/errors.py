"""Errors of the content of a report, as sentences for the person who requested it."""

from __future__ import annotations

from reports_worker.errors import ReportsError


class TooManyRowsError(ReportsError):
    """The report has more rows than the limit allows."""

    def __init__(self, rows: int, most_rows: int, table: str) -> None:
        super().__init__(
            f"The report has more than the {most_rows:,} rows that the limit allows (REPORTS_MAX_ROWS): {rows:,} "
            f"had been read when it ended, in table {table!r}. Request a smaller report, or have the limit raised."
        )


class UnfitRowsError(ReportsError):
    """The rows of a table do not fit its columns, or the table cannot be written."""


class ChartError(ReportsError):
    """A chart cannot be drawn as its type describes it."""
