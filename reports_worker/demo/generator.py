"""Writes the demo data as a folder of Parquet files, one a table."""

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

FEWEST_ORDERS, MOST_ORDERS = 100, 20_000_000
YEARS = 3
# Says of a folder that it is ours to replace, and what is in it.
MARKER = "demo-data.json"
MEMORY_LIMIT = "700MB"
TELL_SECONDS = 0.25
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# Told the name of a table and how much of it is written, in percent.
Tell = Callable[[str, float], None]


class DemoDataError(ReportsError):
    """The demo data cannot be written there."""


@dataclass(frozen=True)
class Demo:
    """What makes demo data what it is: the same three give the same rows. `until` is the last day."""

    orders: int
    seed: int
    until: str

    @property
    def first_day(self) -> date:
        last = date.fromisoformat(self.until)
        return last - timedelta(days=365 * YEARS)

    @classmethod
    def find(cls, folder: Path) -> Demo | None:
        """Read what demo data is in a folder; None if there is none."""
        try:
            return cls(**json.loads((folder / MARKER).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def write(demo: Demo, folder: Path, *, replace: bool = False, tell: Tell = lambda *_: None) -> None:
    """Write all tables aside and give them their name when they are whole.

    With `replace`, demo data that is there already goes. Raises DemoDataError, and leaves nothing behind then.
    """
    try:
        _refuse(folder, replace=replace)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _aside(folder) as aside:
            new = aside / "new"
            new.mkdir()
            _write_tables(demo, new, aside, tell)
            (new / MARKER).write_text(json.dumps(asdict(demo)) + "\n", encoding="utf-8")
            if folder.exists():
                folder.rename(aside / "old")
            new.rename(folder)
    except (OSError, duckdb.Error) as error:
        raise DemoDataError(f"The demo data cannot be written to {folder}: {_reason(error)}") from error


def _refuse(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    found = Demo.find(folder)
    if found is None:
        raise DemoDataError(f"{folder} is there already and is no demo data: give another path.")
    if not replace:
        raise DemoDataError(
            f"{folder} holds demo data already ({found.orders:,} orders until {found.until}, seed {found.seed}): "
            "give --replace to write it anew, or another path."
        )


def _reason(error: Exception) -> str:
    """Say it without the name of the file aside, which is gone by then."""
    text = str(error)
    if "No space left" in text:
        return "the disk is full."
    return f"{error.strerror}." if isinstance(error, OSError) and error.strerror else text


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Make a folder beside the one that is meant, so that renaming is all that is left to do.

    It is locked while its process lives, where the file system has locks; what one that was killed has left
    goes first.
    """
    prefix = f".{folder.name}.demo-data-"
    for left in folder.parent.glob(f"{glob.escape(prefix)}*"):
        _remove_unlocked(left)
    aside = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    descriptor = os.open(aside, _FOLDER)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield aside
    finally:
        os.close(descriptor)
        shutil.rmtree(aside, ignore_errors=True)


def _remove_unlocked(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, _FOLDER)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(descriptor)


def _write_tables(demo: Demo, folder: Path, scratch: Path, tell: Tell) -> None:
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
                partial(tell, table),
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
    connection: duckdb.DuckDBPyConnection, statement: Callable[[], None], tell: Callable[[float], None]
) -> None:
    """Run a statement in a thread of its own, and tell meanwhile how far it is."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(statement)
        try:
            while wait([running], timeout=TELL_SECONDS).not_done:
                tell(max(0.0, connection.query_progress()))
        except BaseException:
            connection.interrupt()
            raise
        running.result()
    tell(100.0)
