"""The preview of a report's content for its page."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from reports_worker.content.report import Chart
from reports_worker.content.rows import Column, Kind
from reports_worker.execution.preview import LARGEST_PREVIEW, write_preview
from reports_worker.execution.progress import Stage
from reports_worker.formats.document import SpooledTable
from tests.unit.reports_worker.formats.format_files import describe, spool

EVERY_KIND = [Column(kind, kind) for kind in Kind]


def preview(*tables: SpooledTable, **given: Any) -> Any:
    text = write_preview(describe(*tables, **given), [Stage("reading", 0.5)])
    assert len(text) <= LARGEST_PREVIEW
    return json.loads(text)


def test_values_of_every_kind_are_shown(tmp_path: Path) -> None:
    moment = datetime(2026, 7, 1, 12, 30, 15, 999, tzinfo=UTC)
    row = ("<b>", 2**70, Decimal("1.50"), float("inf"), True, date(2026, 7, 1), moment)

    found = preview(spool(tmp_path, EVERY_KIND, [row, (None,) * len(Kind)]))

    (table,) = found["tables"]
    shown = ["<b>", float(2**70), 1.5, None, True, "2026-07-01", "2026-07-01 12:30:15"]
    assert table["first"] == [shown, [None] * len(Kind)]
    assert (table["rows"], table["columns"][1]["kind"]) == (2, "integer")
    assert found["stages"] == [{"name": "reading", "seconds": 0.5}]
    assert found["units"] == {"revenue": "EUR"}


def test_only_first_rows_and_the_beginning_of_long_texts_are_shown(tmp_path: Path) -> None:
    table = spool(tmp_path, [Column("text", Kind.TEXT)], [("x" * 1000,)] * 1000)

    (shown,) = preview(table)["tables"]

    assert (len(shown["first"]), shown["rows"]) == (20, 1000)
    assert shown["first"][0] == ["x" * 200 + "…"]


def test_fewer_rows_are_shown_where_they_are_long_and_none_where_nothing_fits(tmp_path: Path) -> None:
    wide = [Column(f"c{number}", Kind.TEXT) for number in range(40)]
    wider = [Column(f"{number:0300}", Kind.TEXT) for number in range(220)]

    some = preview(spool(tmp_path, wide, [("é" * 200,) * 40] * 20))
    none = preview(spool(tmp_path, wider, [("x",) * 220], name="wider"))

    assert 0 < len(some["tables"][0]["first"]) < 20
    assert none == {}


def test_a_chart_is_shown_as_a_table_of_its_first_rows() -> None:
    columns = [Column("day", Kind.DATE, "Day"), Column("revenue", Kind.DECIMAL, unit="EUR")]
    rows = [(date(2026, 7, 1), Decimal("NaN"))] * 200

    (chart,) = preview(charts=[Chart("c", "Revenue", {"mark": "bar"}, columns, rows, "By day.")])["charts"]

    assert (chart["rows"], len(chart["first"]), chart["first"][0]) == (200, 100, ["2026-07-01", None])
    assert chart["columns"] == [
        {"title": "Day", "kind": "date", "unit": ""},
        {"title": "revenue", "kind": "decimal", "unit": "EUR"},
    ]
