"""The report as one PDF: figures, charts and the first rows of its tables, set by Typst with the product's fonts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, cast

import typst

from reports_worker.content.rows import Kind
from reports_worker.formats.charts.pictures import Look, Picture
from reports_worker.formats.charts.renderer import FONTS
from reports_worker.lib.atomic_file import atomic_write

from .document import Advance, Document, Figure, SpooledTable, WrittenFile
from .parquet_database import read_first

NAME = "report.pdf"
MEDIA_TYPE = "application/pdf"
MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 1_000, 20, 300
_WIDE_FROM = 9
_TEMPLATE = Path(__file__).parent / "report.typ"
_NOTHING = "\u2013"
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.NUMBER)


def write_pdf(document: Document, folder: Path, advance: Advance) -> Iterator[WrittenFile]:
    """Write one file. Long and wide tables are cut, with a notice."""
    begin = monotonic()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pdf-") as root:
        with ThreadPoolExecutor(1) as beside:
            # Both the renderer of charts and the fonts load slowly.
            fonts = beside.submit(_load_fonts)
            drawn = {picture.name: picture.draw(Look.LIGHT) for picture in document.charts}
            for name, picture in drawn.items():
                (Path(root) / _name_file(name)).write_bytes(picture.data)
            parts = [_describe_table(table) for table in document.tables]
            loaded = fonts.result()
        (Path(root) / "data.json").write_text(json.dumps(_describe(document, parts)), encoding="utf-8")
        main = Path(root) / _TEMPLATE.name
        main.write_bytes(_TEMPLATE.read_bytes())
        with atomic_write(folder / NAME) as aside:
            aside.write_bytes(_compile(main, Path(root), loaded))
    shown = sum(len(part["rows"]) for part in parts)
    advance(shown)
    cuts = [picture.find_cut(drawn[picture.name].failure) for picture in document.charts]
    cuts += [part["notice"] for part in parts]
    yield WrittenFile(
        "pdf",
        MEDIA_TYPE,
        monotonic() - begin,
        path=folder / NAME,
        rows_written=shown,
        rows_expected=sum(table.rows_expected for table in document.tables),
        cut=" ".join(filter(None, cuts)) or None,
    )


@cache
def _load_fonts() -> Any:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


def _compile(main: Path, root: Path, fonts: Any) -> bytes:
    compiler = typst.Compiler(main, root=root, font_paths=fonts)
    return cast(bytes, compiler.compile(format="pdf"))


def _describe(document: Document, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": document.title,
        "subtitle": f"{document.type_title}. Data as of {_moment(document.as_of)}.",
        "footer": f"{document.task_id}, made {_moment(document.made_at)}"
        + (f", definition {document.version}" if document.version else ""),
        "wide": any(len(part["columns"]) >= _WIDE_FROM for part in parts),
        "parameters": document.parameters,
        "figures": [
            {"title": figure.title, "value": _describe_figure(figure)} for figure in document.figures
        ],
        "charts": [
            {"file": _name_file(picture.name), "alt": _describe_picture(picture)}
            for picture in document.charts
        ],
        "tables": parts,
    }


def _describe_figure(figure: Figure) -> str:
    return _NOTHING if figure.value is None else f"{_cell(figure.value)} {figure.unit}".strip()


def _describe_picture(picture: Picture) -> str:
    """Describe a chart for readers who cannot see it."""
    chart, said = picture.chart, picture.failure or picture.sentence
    return " ".join(part for part in (f"{chart.title}.", chart.description, said) if part)


def _name_file(chart: str) -> str:
    return f"chart-{chart}.svg"


def _describe_table(table: SpooledTable) -> dict[str, Any]:
    columns = table.columns[:MOST_COLUMNS]
    rows = read_first(table, MOST_ROWS)
    return {
        "title": table.title,
        "notice": _notice(table, len(rows)),
        "columns": [{"title": column.heading, "number": column.kind in _NUMBERS} for column in columns],
        "rows": [[_cell(value) for value in row[:MOST_COLUMNS]] for row in rows],
    }


def _notice(table: SpooledTable, shown: int) -> str | None:
    said = [table.sentence] if table.sentence else []
    if shown < table.rows:
        said.append(
            f"{table.title}: the PDF shows the first {shown:,} of {table.rows:,} rows; other files hold all."
        )
    if len(table.columns) > MOST_COLUMNS:
        said.append(
            f"{table.title}: the PDF shows {MOST_COLUMNS} of {len(table.columns):,} columns; other files hold all."
        )
    return " ".join(said) or None


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, (int, Decimal)):
        return f"{value:,}"
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
