"""The built-in types over a real PostgreSQL server, against a count in plain Python."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from harness.postgresql import PostgreSQL
from reports_worker.demo.generator import Demo, DemoDataError, write
from reports_worker.demo.loading import load
from reports_worker.settings.data import DataSettings
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.open import open_warehouse
from tests.extent import count_examples
from tests.independent_count import cases, compare, read_tables
from tests.needed_tools import need_postgresql

UNTIL = date(2026, 6, 14)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    need_postgresql()
    # pytest's own folders are closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir="/tmp"))
    server = PostgreSQL(folder).create().start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


# The same count over the same rows is made for each seed in DuckDB, in every run.
@pytest.mark.parametrize("seed", range(1, count_examples(1, wide=3) + 1))
def test_the_types_give_what_a_count_in_python_gives(seed: int, server: PostgreSQL, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    write(Demo(1000, seed, UNTIL.isoformat()), folder)
    with server.connect() as owner:
        owner.execute(f"CREATE DATABASE seed_{seed}")
    load(folder, server.address(database=f"seed_{seed}"))
    settings = DataSettings(warehouse=server.address(database=f"seed_{seed}"))
    warehouse = open_warehouse(settings.warehouse, Bounds(timedelta(minutes=1), 512_000_000, tmp_path))

    try:
        for case in cases(UNTIL, seed):
            compare(warehouse, read_tables(folder), case)
    finally:
        warehouse.close()

    with pytest.raises(DemoDataError, match="already has a table of this name"):
        load(folder, server.address(database=f"seed_{seed}"))
