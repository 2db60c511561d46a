"""Memory of API and worker, as the share of each process in what it uses (PSS), summed up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.bench import Bench
from benchmarks.memory import measure_programs
from benchmarks.rounds import interleave
from benchmarks.rows import Row
from benchmarks.targets import PROCESSES, Side

from .submits import submit
from .workers import run_worker

_BUSY_SECONDS = 3


def measure_memory(bench: Bench) -> Iterator[Row]:
    """Measure new processes in each round."""
    bench.tell("Memory")
    ours, peer = interleave(
        bench.extent.rounds,
        partial(_measure_api, bench, bench.ours),
        partial(_measure_api, bench, bench.peer),
    )
    yield Row("memory of the API after submits", "MB", ours, peer)
    our_workers, peer_workers = interleave(
        bench.extent.rounds,
        partial(_measure_worker, bench, bench.ours),
        partial(_measure_worker, bench, bench.peer),
    )
    for place, state in enumerate(("idle", "busy")):
        of_ours, of_peer = ([pair[place] for pair in pairs] for pairs in (our_workers, peer_workers))
        yield Row(f"memory of the worker, {state}", "MB", of_ours, of_peer)


def _measure_api(bench: Bench, side: Side) -> float:
    bench.broker.flush()
    with side.serve(bench.broker.url) as server:
        submit(bench, server, concurrency=8)
        return measure_programs(server.pid)


def _measure_worker(bench: Bench, side: Side) -> tuple[float, float]:
    """Measure while it waits, and while it makes a report in each slot."""
    with run_worker(bench, side, seconds=_BUSY_SECONDS) as worker:
        idle = measure_programs(*worker.pids)
        worker.submit(PROCESSES)
        worker.wait_for_marks(PROCESSES)
        return idle, measure_programs(*worker.pids)
