"""The preview of a report's content for its page: charts as tables, first rows, the time of each stage.

The preview is stored with the report in Redis, so that the page needs neither an engine nor a file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from reports_worker.content.rows import Column, Row
from reports_worker.formats.document import Document
from reports_worker.formats.json_values import JsonForm
from reports_worker.formats.parquet_database import read_first

from .progress import Stage

LARGEST_PREVIEW = 64 * 2**10
_MOST_ROWS = (20, 10, 5, 1, 0)
_CHART_ROWS_FOR_EACH = 5
_LONGEST_TEXT = 200


def _cut_text(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _write_time(time: datetime) -> str:
    return time.isoformat(sep=" ", timespec="seconds")


# For people, who read rounded numbers.
_CELL = JsonForm(decimal=float, time=_write_time, text=_cut_text)


def write_preview(document: Document, stages: Sequence[Stage]) -> str:
    """Write the preview as JSON, with fewer rows where it exceeds `LARGEST_PREVIEW`."""
    for most_rows in _MOST_ROWS:
        text = json.dumps(_to_preview(document, stages, most_rows), allow_nan=False)
        if len(text) <= LARGEST_PREVIEW:
            return text
    return "{}"


def _to_preview(document: Document, stages: Sequence[Stage], most_rows: int) -> dict[str, Any]:
    return {
        "units": {figure.name: figure.unit for figure in document.figures if figure.unit},
        "parameters": document.parameters,
        "tables": [
            {
                "name": table.name,
                "title": table.title,
                "columns": _serialize_columns(table.columns),
                "rows": table.rows,
                "expected": table.expected,
                "cut": table.cut,
                "first": _serialize_rows(read_first(table, most_rows)),
            }
            for table in document.tables
        ],
        "charts": [
            {
                "name": picture.name,
                "title": picture.chart.title,
                "description": picture.chart.description,
                "columns": _serialize_columns(picture.chart.columns),
                "rows": len(picture.rows),
                "cut": picture.failure or picture.sentence,
                "drawn": picture.failure is None,
                "first": _serialize_rows(picture.rows[: most_rows * _CHART_ROWS_FOR_EACH]),
            }
            for picture in document.charts
        ],
        "stages": [{"name": stage.name, "seconds": stage.seconds} for stage in stages],
    }


def _serialize_columns(columns: Sequence[Column]) -> list[dict[str, str]]:
    return [
        {"title": column.title or column.name, "kind": column.kind, "unit": column.unit} for column in columns
    ]


def _serialize_rows(rows: Sequence[Row]) -> list[list[Any]]:
    return [[_CELL.write(value) for value in row] for row in rows]
