"""Parquet of each table: every value exact, and the facts of the receipt in the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic

from reports_worker.lib import clock
from reports_worker.lib.atomic_file import atomic_write
from reports_worker.lib.sql import quote_name, quote_text
from reports_worker.lib.valid_text import make_valid

from .document import Advance, Document, SpooledTable, WrittenFile
from .parquet_database import from_parquet, run_telling

MEDIA_TYPE = "application/vnd.apache.parquet"


def write_parquet(document: Document, folder: Path, advance: Advance) -> Iterator[WrittenFile]:
    """Write a file for each table."""
    for table in document.tables:
        begin = monotonic()
        path = folder / f"{table.name}.parquet"
        facts = ", ".join(
            f"{quote_name(name)}: {quote_text(text)}" for name, text in _list_facts(document, table).items()
        )
        with atomic_write(path) as aside:
            run_telling(
                table.database,
                f"COPY (FROM {from_parquet(table.path)}) TO {quote_text(str(aside))} "
                f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{facts}}})",
                rows=table.rows,
                advance=advance,
            )
        yield WrittenFile(
            "parquet",
            MEDIA_TYPE,
            monotonic() - begin,
            path=path,
            table=table.name,
            rows_written=table.rows,
            rows_expected=table.rows_expected,
            cut=table.sentence,
        )


def _list_facts(document: Document, table: SpooledTable) -> Mapping[str, str]:
    units = {column.name: column.unit for column in table.columns if column.unit}
    titles = {column.name: column.title for column in table.columns if column.title}
    facts = {
        "title": document.title,
        "table": table.title,
        "type": document.type,
        "task_id": document.task_id,
        "parameters": json.dumps(document.raw_parameters, ensure_ascii=False, default=str),
        "data_as_of": clock.to_json(document.as_of),
        "made_at": clock.to_json(document.made_at),
        "definition_version": document.version,
        "rows_written": str(table.rows),
        "rows_expected": str(table.rows_expected),
        "cut": table.sentence or "",
        "column_titles": json.dumps(titles, ensure_ascii=False),
        "column_units": json.dumps(units, ensure_ascii=False),
    }
    return {name: make_valid(text).replace("\0", "\ufffd") for name, text in facts.items()}
