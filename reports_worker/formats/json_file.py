"""The whole report as one JSON document.

Exact decimals are strings, since most readers of JSON would round them; integers are numbers; NaN and
infinity are null; dates and times are ISO 8601.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from reports_worker.content.rows import Column
from reports_worker.formats.charts.pictures import Picture
from reports_worker.lib import clock
from reports_worker.lib.atomic_file import atomic_write
from reports_worker.lib.sql import quote_name
from reports_worker.lib.valid_text import make_valid

from .document import Advance, Document, SpooledTable, WrittenFile
from .json_values import JsonForm
from .parquet_database import Stored, describe_parquet, from_parquet

MEDIA_TYPE = "application/json"
BATCH_ROWS = 10_000


def _write_exactly(number: Decimal) -> str:
    return format(number, "f")


_VALUES = JsonForm(decimal=_write_exactly, is_nested=True)


def write_json(document: Document, folder: Path, advance: Advance) -> Iterator[WrittenFile]:
    """Write one file."""
    begin = monotonic()
    path = folder / "report.json"
    with atomic_write(path) as aside, aside.open("w", encoding="utf-8") as file:
        _write(document, file, advance)
    yield WrittenFile(
        "json",
        MEDIA_TYPE,
        monotonic() - begin,
        path=path,
        rows_written=sum(table.rows for table in document.tables),
        rows_expected=sum(table.rows_expected for table in document.tables),
        cut=document.sentence,
    )


def _write(document: Document, file: TextIO, advance: Advance) -> None:
    done = 0
    file.write(f'{_dump(_describe(document))[:-1]}, "tables": [')
    for place, table in enumerate(document.tables):
        file.write(f'{"," if place else ""}\n{_dump(_describe_table(table))[:-1]}, "rows": [')
        before = "\n"
        for lines in _read_lines(table):
            file.write(before + ",\n".join(lines))
            before = ",\n"
            done += len(lines)
            advance(done)
        file.write("]}")
    file.write("]}\n")


def _read_lines(table: SpooledTable) -> Iterator[list[str]]:
    """Read each row as an array in JSON, which DuckDB writes faster than Python."""
    cells = ", ".join(map(_select, describe_parquet(table.database, table.path)))
    rows = table.database.execute(f"SELECT json_array({cells})::VARCHAR FROM {from_parquet(table.path)}")
    while batch := rows.fetchmany(BATCH_ROWS):
        yield [line for (line,) in batch]


def _select(column: Stored) -> str:
    cell = quote_name(column.name)
    if column.is_float:
        return f"CASE WHEN isfinite({cell}) THEN {cell} END"
    if column.type.startswith("TIMESTAMP"):
        zone = "Z" if column.has_zone else ""
        time = f"timezone('UTC', {cell})" if column.has_zone else f"{cell}::TIMESTAMP"
        return f"strftime({time}, '%Y-%m-%dT%H:%M:%S.%f') || '{zone}'"
    if column.is_text or column.type.startswith("DECIMAL"):
        return f"{cell}::VARCHAR"
    return cell


def _describe(document: Document) -> Mapping[str, Any]:
    return {
        "task_id": document.task_id,
        "title": document.title,
        "type": document.type,
        "parameters": document.raw_parameters,
        "data_as_of": clock.to_json(document.as_of),
        "made_at": clock.to_json(document.made_at),
        "definition_version": document.version,
        "figures": [
            {"name": figure.name, "title": figure.title, "value": figure.value, "unit": figure.unit}
            for figure in document.figures
        ],
        "charts": [_describe_chart(chart) for chart in document.charts],
    }


def _describe_chart(picture: Picture) -> Mapping[str, Any]:
    return {
        "name": picture.name,
        "title": picture.chart.title,
        "rows_written": len(picture.rows),
        "rows_expected": picture.expected,
        "cut": picture.sentence,
        "columns": _describe_columns(picture.chart.columns),
        "rows": picture.rows,
    }


def _describe_table(table: SpooledTable) -> Mapping[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "rows_written": table.rows,
        "rows_expected": table.rows_expected,
        "cut": table.sentence,
        "columns": _describe_columns(table.columns),
    }


def _describe_columns(columns: Sequence[Column]) -> list[Mapping[str, Any]]:
    return [
        {"name": column.name, "kind": column.kind, "title": column.title, "unit": column.unit}
        for column in columns
    ]


def _dump(value: Any) -> str:
    return make_valid(json.dumps(_VALUES.write(value), ensure_ascii=False, allow_nan=False))
