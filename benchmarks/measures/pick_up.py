"""From just before the call that submits to the first line of the report, on a worker that waits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks.bench import Bench
from benchmarks.rounds import interleave, percentile
from benchmarks.rows import Row, Within
from benchmarks.targets import Side

from .workers import run_worker

_BAR = Within(10)


def measure_pick_up(bench: Bench) -> Iterator[Row]:
    """Measure many, one after the other, in each round."""
    bench.tell("From submit to start, on an idle worker")
    ours, peer = interleave(
        bench.extent.rounds,
        partial(_pick_up, bench, bench.ours),
        partial(_pick_up, bench, bench.peer),
    )
    yield Row("enqueue to start, p50", "ms", list(map(median, ours)), list(map(median, peer)), _BAR)
    yield Row(
        "enqueue to start, p99",
        "ms",
        [percentile(taken, 99) for taken in ours],
        [percentile(taken, 99) for taken in peer],
    )


def _pick_up(bench: Bench, side: Side) -> list[float]:
    """Measure what each took, in milliseconds."""
    with run_worker(bench, side, seconds=0) as worker:
        begins: list[int] = []
        for number in range(bench.extent.picked_up + 1):
            worker.wait_for_rest()
            begins += worker.submit(1)
            starts = worker.wait_for_marks(number + 1)
    # The first one warms up.
    return [(start - begin) / 1e6 for begin, start in zip(begins[1:], starts[1:], strict=True)]
