"""Documents to be written, and readers of files that are no part of the product."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from reports_worker.content.report import Table
from reports_worker.content.rows import Column, GivenRows, Row
from reports_worker.formats.charts.pictures import read_charts
from reports_worker.formats.document import Document, Figure, SpooledTable
from reports_worker.formats.parquet_database import connect
from reports_worker.formats.spool import Spool

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def ignore(rows: int) -> None:
    """Take progress, and do nothing with it."""


def spool(
    folder: Path, columns: Sequence[Column], rows: Sequence[Row], *, most_rows: int = 10**6, **given: Any
) -> SpooledTable:
    """Spool one table of these rows."""
    table = Table(
        given.pop("name", "orders"), given.pop("title", "Orders"), GivenRows(columns, rows), **given
    )
    return Spool(folder, connect(folder), most_rows, ignore, lambda: None).add(table)


def describe(*tables: SpooledTable, **given: Any) -> Document:
    """Describe a report of these tables."""
    facts: dict[str, Any] = {
        "task_id": "0197",
        "title": "Sales <b>2026</b>",
        "type": "sales",
        "type_title": "Sales",
        "parameters": [("Region", "=north")],
        "raw_parameters": {"region": "=north"},
        "figures": [Figure("revenue", "Revenue", 12.5, "EUR")],
        "tables": tables,
        "charts": read_charts(given.pop("charts", [])),
        "as_of": NOW,
        "made_at": NOW,
        "version": "v1",
    }
    return Document(**{**facts, **given})


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def read_xlsx(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Read each sheet: a line is its cells by column's letter; numbers are floats, formulas are refused."""
    with zipfile.ZipFile(path) as archive:
        book = ET.fromstring(archive.read("xl/workbook.xml"))
        relations = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        paths = {each.attrib["Id"]: each.attrib["Target"] for each in relations}
        return {
            sheet.attrib["name"]: _read_sheet(archive.read(f"xl/{paths[sheet.attrib[_RELATED]]}"))
            for sheet in book.iter(f"{_MAIN}sheet")
        }


def _read_sheet(data: bytes) -> list[dict[str, Any]]:
    tree = ET.fromstring(data)
    assert not list(tree.iter(f"{_MAIN}f"))
    assert not list(tree.iter(f"{_MAIN}hyperlink"))
    return [
        {re.sub(r"\d", "", cell.attrib["r"]): _read_cell(cell) for cell in row}
        for row in tree.iter(f"{_MAIN}row")
    ]


def _read_cell(cell: ET.Element) -> Any:
    kind = cell.attrib.get("t")
    if kind == "inlineStr":
        return _unescape("".join(text.text or "" for text in cell.iter(f"{_MAIN}t")))
    value = cell.findtext(f"{_MAIN}v")
    if value is None:
        return None
    return value == "1" if kind == "b" else float(value)


def _unescape(text: str) -> str:
    """Read Excel's way of writing control characters."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)
