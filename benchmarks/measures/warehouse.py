"""The three built-in reports over much data: beside what runs the same SQL alone, and beside pandas."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.data.children import Measured, run_child
from benchmarks.data.demo_warehouses import make_folder, serve_by_postgresql
from benchmarks.environments import PEER
from benchmarks.errors import BenchmarkError
from benchmarks.rounds import interleave
from benchmarks.rows import AtMost, Row, Within

REPORTS = ("sales", "inventory", "users")
_MOST_MEGABYTES = 600


def measure_warehouse(bench: Bench) -> Iterator[Row]:
    """Measure each query phase in a new process."""
    orders = bench.extent.orders
    folder = make_folder(orders, bench.tell)
    for name in REPORTS:
        bench.tell(f"{name} over {orders:,} orders in Parquet")
        yield from _measure_folder(bench, folder, name)
    orders = bench.extent.orders_in_server
    with serve_by_postgresql(make_folder(orders, bench.tell), bench.tell) as address:
        for name in REPORTS:
            bench.tell(f"{name} over {orders:,} orders in PostgreSQL")
            ours, alone = _interleave(bench, address, name)
            what = f"{name} over {orders:,} orders in PostgreSQL, to psycopg alone"
            yield Row(what, "s", _seconds(ours), _seconds(alone), AtMost(1.1))


def _measure_folder(bench: Bench, folder: Path, name: str) -> Iterator[Row]:
    ours, alone = _interleave(bench, str(folder), name)
    pandas = run_child(PEER / "pandas_reports.py", folder, name, python=bench.peer.python)
    check_same(name, ours[-1].found, pandas.found)
    what = f"{name} over {bench.extent.orders:,} orders in Parquet"
    yield Row(f"{what}, to DuckDB alone", "s", _seconds(ours), _seconds(alone), AtMost(1.3))
    yield Row(f"{what}, to pandas", "s", _seconds(ours[-1:]), [pandas.seconds])
    most = max(ours, key=lambda each: each.megabytes)
    yield Row(f"{what}: most memory", "MB", [most.megabytes], [pandas.megabytes], Within(_MOST_MEGABYTES))


def _interleave(bench: Bench, address: str, name: str) -> tuple[list[Measured], ...]:
    """Have both run once before: files are in memory then, and the statements are known."""
    make = partial(_make, bench, address, name)
    make()
    run = partial(_run_alone, bench, address)
    run()
    return interleave(bench.extent.rounds, make, run)


def _make(bench: Bench, address: str, name: str) -> Measured:
    return _run(bench, "-m", "benchmarks.data.reports_ours", address, name)


def _run_alone(bench: Bench, address: str) -> Measured:
    return _run(bench, "-m", "benchmarks.data.reports_alone", address)


def _run(bench: Bench, *command: str) -> Measured:
    scratch = bench.folder / "spilled"
    scratch.mkdir()
    try:
        return run_child(*command, scratch, bench.folder / "statements")
    finally:
        shutil.rmtree(scratch)


def check_same(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Raise BenchmarkError unless the peer has done the same work."""
    for figure, value in theirs.items():
        same = math.isclose(ours[figure], value) if isinstance(value, float) else ours[figure] == value
        if not same:
            raise BenchmarkError(f"{figure} of {name}: {ours[figure]} by us, {value} by pandas.")


def _seconds(measured: list[Measured]) -> list[float]:
    return [each.seconds for each in measured]
