"""Writes one PDF of two charts and 500 rows in a new job process.

Argument: a folder for files. What such a process prepares while it waits for its order is no part of the time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from reports_worker.content.chart_specs import chart_spec
from reports_worker.content.report import Chart, Table
from reports_worker.content.rows import Column, GivenRows, Kind, Row
from reports_worker.execution.warmup import preload, warm_up
from reports_worker.settings.data import DataSettings

from .telling import tell

ROWS = 500
_DAY, _PRODUCT = Column("day", Kind.DATE, "Day"), Column("product", Kind.TEXT, "Product")
_REVENUE = Column("revenue", Kind.DECIMAL, "Revenue", "EUR")


def main(place: str) -> None:
    settings = DataSettings(warehouse=place)
    preload(settings)
    warm_up(settings)
    begin = time.monotonic()
    _write(Path(place))
    tell(time.monotonic() - begin)


def _write(folder: Path) -> None:
    # Whatever of it is not prepared counts.
    from reports_worker.formats.charts.pictures import read_charts  # noqa: PLC0415
    from reports_worker.formats.document import Document, Figure  # noqa: PLC0415
    from reports_worker.formats.pdf_file import write_pdf  # noqa: PLC0415
    from reports_worker.formats.spool import open_spool  # noqa: PLC0415

    columns, rows = (_DAY, _PRODUCT, _REVENUE), _make_rows()
    with open_spool(folder, most_rows=ROWS, advance=lambda _: None) as spool:
        table = spool.add(Table("sold", "Sold", GivenRows(columns, rows)))
        now = datetime.now(UTC)
        given = [
            Chart("days", "Revenue by day", chart_spec("line", _DAY, _REVENUE), columns, rows[:90]),
            Chart("products", "Products", chart_spec("bar", _PRODUCT, _REVENUE), columns, rows[:10]),
        ]
        charts = read_charts(given)
        figures = [Figure("total", "Total", float(sum(row[2] for row in rows)), "EUR")]
        document = Document(
            "benchmark", "Sold", "sold", "Sold", (), {}, figures, [table], charts, now, now, "1"
        )
        (written,) = write_pdf(document, folder, lambda _: None)
    if written.rows_written != ROWS:
        raise RuntimeError(f"{written.rows_written} of {ROWS} rows were written.")


def _make_rows() -> Sequence[Row]:
    first = date(2026, 1, 1)
    return [
        (first + timedelta(days=number), f"Product {number}", Decimal(number * 7919 % 100_000) / 100)
        for number in range(ROWS)
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
