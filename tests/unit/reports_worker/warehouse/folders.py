"""Folders of tables as an operator creates them, and the warehouse over such a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.open import open_warehouse
from reports_worker.warehouse.warehouse import Warehouse


def open_at(path: Path, scratch: Path, *, seconds: float = 30, memory: int = 400 * 10**6) -> Warehouse:
    bounds = Bounds(timedelta(seconds=seconds), memory, scratch, batch=1000)
    return open_warehouse(str(path), bounds)


@contextmanager
def opened(folder: Path) -> Iterator[Warehouse]:
    """Open a folder for one report, with a scratch folder of its own."""
    with TemporaryDirectory() as scratch:
        warehouse = open_at(folder, Path(scratch))
        try:
            yield warehouse
        finally:
            warehouse.close()


def write_parquet(path: Path, select: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
