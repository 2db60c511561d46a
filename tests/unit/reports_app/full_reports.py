"""A completed report with all kinds of content: tables, a chart, files and stages, complete and cut."""

from __future__ import annotations

from pathlib import Path

from reports_worker.content.report import Chart
from reports_worker.content.rows import Column, Kind
from reports_worker.domain.report import Completed, Receipt
from reports_worker.execution.preview import write_preview
from reports_worker.execution.progress import Stage
from tests.unit.reports_app.report_factory import FIGURES
from tests.unit.reports_worker.formats.format_files import NOW, describe, spool

SHA = "0f" * 32


def fill(folder: Path, text: str) -> Completed:
    """Make an outcome in which every text of the type and its data is `text`."""
    columns = [Column("name", Kind.TEXT, text, text), Column("sum", Kind.INTEGER, "Sum", "EUR")]
    rows = [(text, 1), (None, 2)]
    whole = spool(folder, columns, rows, name="whole", title=text)
    cut = spool(folder, columns, rows, name="part", title=text, expected=9, cut=text)
    empty = spool(folder, columns, [], name="none", title=text)
    chart = Chart("trend", text, {"mark": "bar"}, columns, rows, text)
    preview = write_preview(describe(whole, cut, empty, charts=[chart]), [Stage(text, 0.5)])
    return Completed(
        FIGURES,
        artifacts=(
            Receipt("csv", "text/csv", 0.1, "whole", None, 2, 2, name="whole.csv", size=12, sha256=SHA),
            Receipt("csv", "text/csv", 0.1, "part", None, 2, 9, text, name="part.csv", size=12, sha256=SHA),
            Receipt("svg", "image/svg+xml", 0.1, chart="trend", name="chart-trend.svg", size=12, sha256=SHA),
            Receipt(
                "svg", "image/svg+xml", 0.1, chart="trend", name="chart-trend-dark.svg", size=12, sha256=SHA
            ),
        ),
        as_of=NOW,
        version="v1",
        preview=preview,
    )
