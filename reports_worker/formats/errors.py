"""What can be wrong with the contents of a report, as sentences for whoever asked for it."""

from __future__ import annotations

from reports_worker.errors import ReportsError


class TooManyRowsError(ReportsError):
    """The report has more rows than it may."""

    def __init__(self, rows: int, most_rows: int, table: str) -> None:
        super().__init__(
            f"The report has more than the {most_rows:,} rows that it may have (REPORTS_MAX_ROWS): {rows:,} "
            f"had been read when it ended, in table {table!r}. Ask for less, or have the limit raised."
        )


class UnfitRowsError(ReportsError):
    """A table's rows are not what its columns say, or the table cannot be written at all."""


class ChartError(ReportsError):
    """A chart cannot be drawn as its type describes it."""
