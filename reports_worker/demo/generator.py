"""Writes the demo data as a folder of Parquet files, one for each table."""

from __future__ import annotations

import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from reports_worker.errors import ReportsError

from . import rows, words

YEARS = 3
# This file marks a folder of demo data, which may be replaced, and describes the data.
MARKER = "demo-data.json"
MEMORY_LIMIT = "700MB"
REPORT_SECONDS = 0.25
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# Gets the name of a table and the written percentage of its rows.
ReportProgress = Callable[[str, float], None]


class DemoDataError(ReportsError):
    """The demo data cannot be written."""


@dataclass(frozen=True)
class Demo:
    """The parameters of demo data: the same three give the same rows. `until` is the last day."""

    orders: int
    seed: int
    until: str

    @property
    def first_day(self) -> date:
        last = date.fromisoformat(self.until)
        return last - timedelta(days=365 * YEARS)

    @classmethod
    def find(cls, folder: Path) -> Demo | None:
        """Read which demo data a folder holds; None if it holds none."""
        try:
            return cls(**json.loads((folder / MARKER).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def write(
    demo: Demo, folder: Path, *, replace: bool = False, report: ReportProgress = lambda *_: None
) -> None:
    """Write all tables to a temporary folder, and rename the folder when it is complete.

    With `replace`, existing demo data is replaced. Raises DemoDataError, and leaves no files behind then.
    """
    try:
        _refuse(folder, replace=replace)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_folder(folder) as temporary:
            new = temporary / "new"
            new.mkdir()
            _write_tables(demo, new, temporary, report)
            (new / MARKER).write_text(json.dumps(asdict(demo)) + "\n", encoding="utf-8")
            if folder.exists():
                folder.rename(temporary / "old")
            new.rename(folder)
    except (OSError, duckdb.Error) as error:
        raise DemoDataError(f"The demo data cannot be written to {folder}: {_to_reason(error)}") from error


def _refuse(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    found = Demo.find(folder)
    if found is None:
        raise DemoDataError(f"{folder} exists and holds no demo data: give another path.")
    if not replace:
        raise DemoDataError(
            f"{folder} already holds demo data ({found.orders:,} orders until {found.until}, seed {found.seed}): "
            "give --replace to overwrite it, or another path."
        )


def _to_reason(error: Exception) -> str:
    """Return the reason without the path of the temporary file, which no longer exists."""
    text = str(error)
    if "No space left" in text:
        return "the disk is full."
    return f"{error.strerror}." if isinstance(error, OSError) and error.strerror else text


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """Create a folder in the same file system as `folder`, so that a rename completes the write.

    The folder is locked while its process lives, where the file system has locks. Folders of killed processes are
    removed first.
    """
    prefix = f".{folder.name}.demo-data-"
    for leftover in folder.parent.glob(f"{glob.escape(prefix)}*"):
        _remove_unlocked(leftover)
    temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    descriptor = os.open(temporary, _FOLDER)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield temporary
    finally:
        os.close(descriptor)
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_unlocked(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, _FOLDER)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(descriptor)


def _write_tables(demo: Demo, folder: Path, scratch: Path, report: ReportProgress) -> None:
    config: dict[str, Any] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(scratch / "spill"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(config=config) as connection:
        _prepare(connection, demo)
        for table, query in rows.TABLES.items():
            target = folder / f"{table}.parquet"
            if table == "order_lines":
                _set(connection, "order_lines", str(target))
            relation = connection.sql(query)
            _run(
                connection,
                partial(relation.write_parquet, str(target), compression="zstd"),
                partial(report, table),
            )


def _prepare(connection: duckdb.DuckDBPyConnection, demo: Demo) -> None:
    users = max(20, demo.orders // 20)
    values = {
        "salt": demo.seed * 3266489917 % (1 << 32),
        "slots": rows.SLOTS,
        "orders": demo.orders,
        "old_users": users // 4,
        "new_users": users - users // 4,
        "products": min(2000, max(40, demo.orders // 500)),
        "first_day": demo.first_day,
        "days": (date.fromisoformat(demo.until) - demo.first_day).days + 1,
        "categories": [asdict(category) for category in words.CATEGORIES],
        "regions": [region for region, share in words.REGIONS for _ in range(share)],
        "warehouses": [{"name": name, "share": share} for name, share in words.WAREHOUSES],
    }
    for name, value in values.items():
        _set(connection, name, value)
    for statement in rows.PREPARATION:
        connection.execute(statement)
        if statement is rows.PRODUCT_TABLE:
            connection.execute("SET VARIABLE prices = (SELECT list(cents ORDER BY product_id) FROM wares)")


def _set(connection: duckdb.DuckDBPyConnection, name: str, value: object) -> None:
    connection.execute(f"SET VARIABLE {name} = ?", [value])


def _run(
    connection: duckdb.DuckDBPyConnection, statement: Callable[[], None], report: Callable[[float], None]
) -> None:
    """Run a statement on a thread of its own, and report its progress."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(statement)
        try:
            while wait([running], timeout=REPORT_SECONDS).not_done:
                report(max(0.0, connection.query_progress()))
        except BaseException:
            connection.interrupt()
            raise
        running.result()
    report(100.0)
