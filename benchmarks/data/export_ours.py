"""Writes the rows of a warehouse into one kind of file, as the making of a report does.

Arguments: the warehouse's folder, the format, a folder for files.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reports_worker.content.report import Table
from reports_worker.formats.document import Document, SpooledTable
from reports_worker.formats.registry import FORMATS
from reports_worker.formats.spool import open_spool
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.open import open_warehouse

from .telling import tell
from .wide_rows import TABLE

_MEMORY = 512_000_000


def main(rows: str, file_format: str, place: str) -> None:
    folder = Path(place)
    bounds = Bounds(timedelta(minutes=10), _MEMORY, folder)
    warehouse = open_warehouse(rows, bounds)
    begin = time.monotonic()
    with open_spool(folder, most_rows=10**7, advance=lambda _: None) as spool:
        table = spool.add(Table(TABLE, "Sold", warehouse.query(f"FROM {TABLE}")))
        spooled = time.monotonic()
        files = list(FORMATS[file_format].write(_describe(table), folder, lambda _: None))
        end = time.monotonic()
    warehouse.close()
    written = sum(file.rows_written or 0 for file in files)
    tell(end - begin, {"rows": written, "writing": end - spooled})


def _describe(table: SpooledTable) -> Document:
    now = datetime.now(UTC)
    return Document("benchmark", "Sold", "sold", "Sold", (), {}, (), [table], (), now, now, "1")


if __name__ == "__main__":
    main(*sys.argv[1:])
