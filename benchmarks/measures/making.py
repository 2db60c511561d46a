"""How many reports a second a worker of two slots makes, when making one takes no time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.bench import Bench
from benchmarks.rounds import interleave
from benchmarks.rows import Row
from benchmarks.targets import Side

from .workers import run_worker


def measure_making(bench: Bench) -> Iterator[Row]:
    """Measure from the first report's start to the last one's."""
    bench.tell("Reports per second")
    ours, peer = interleave(
        bench.extent.rounds,
        partial(_make, bench, bench.ours, count=bench.extent.made_by_us),
        partial(_make, bench, bench.peer, count=bench.extent.made_by_peer),
    )
    yield Row("reports made, no simulated time", "reports/s", ours, peer)


def _make(bench: Bench, side: Side, *, count: int) -> float:
    with run_worker(bench, side, seconds=0, held=count) as worker:
        worker.release()
        marks = sorted(worker.wait_for_marks(count))
    return (len(marks) - 1) * 1e9 / (marks[-1] - marks[0])
