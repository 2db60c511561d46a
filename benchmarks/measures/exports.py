"""A million rows into files: beside what writes such a file alone, and beside few rows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.data.children import Measured, run_child
from benchmarks.data.wide_rows import write_rows
from benchmarks.errors import BenchmarkError
from benchmarks.rounds import interleave
from benchmarks.rows import AtMost, Row, Within

FEW_ROWS = 10_000
_BARS = {"csv": AtMost(1.5), "parquet": None, "xlsx": AtMost(1.1)}
# A workbook of a million rows takes more than a minute.
_MOST_ROUNDS = {"xlsx": 3}
_MOST_MEGABYTES_MORE = 50


def measure_exports(bench: Bench) -> Iterator[Row]:
    """Measure each in new processes: ours from the query on and from the spool, the others from their file."""
    many = write_rows(bench.folder, bench.extent.exported)
    few = write_rows(bench.folder, FEW_ROWS)
    for name, bar in _BARS.items():
        bench.tell(f"{bench.extent.exported:,} rows to {name.upper()}")
        ours, alone, small = interleave(
            min(bench.extent.rounds, _MOST_ROUNDS.get(name, bench.extent.rounds)),
            partial(_export, bench, "ours", many, name, rows=bench.extent.exported),
            partial(_export, bench, "alone", many, name),
            partial(_export, bench, "ours", few, name, rows=FEW_ROWS),
        )
        what = f"{bench.extent.exported:,} rows of 8 columns to {name.upper()}"
        peer = [each.seconds for each in alone]
        yield Row(f"{what}, from the spool", "s", [each.found["writing"] for each in ours], peer, bar)
        yield Row(f"{what}, from the query on", "s", [each.seconds for each in ours], peer, bar)
        yield Row(
            f"{what}: memory above that of {FEW_ROWS:,}",
            "MB",
            [big.megabytes - little.megabytes for big, little in zip(ours, small, strict=True)],
            bar=Within(_MOST_MEGABYTES_MORE),
        )


def _export(bench: Bench, who: str, source: Path, name: str, *, rows: int | None = None) -> Measured:
    folder = bench.folder / "exported"
    folder.mkdir()
    try:
        measured = run_child("-m", f"benchmarks.data.export_{who}", source, name, folder)
    finally:
        shutil.rmtree(folder)
    if measured.found.get("rows") != rows:
        raise BenchmarkError(f"{measured.found.get('rows')} of {rows} rows were written to {name}.")
    return measured
