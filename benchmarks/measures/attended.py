"""POST /api/reports while many look on, and while nobody does; the peer has neither pages nor waiting."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from benchmarks.audience import attend, wait_for_end, watch_list
from benchmarks.bench import Bench
from benchmarks.errors import BenchmarkError
from benchmarks.load import SUBMISSION, Load, drive
from benchmarks.rounds import divide_pairs, interleave
from benchmarks.rows import Row, Within
from benchmarks.targets import Server

from .submits import PATH

PAGES = 100
WAITERS = 100
_CONCURRENCIES = (1, 8)
_BAR = Within(1.5)


def measure_attended_submits(bench: Bench) -> Iterator[Row]:
    """Measure submits with and without onlookers, in turns."""
    with bench.ours.serve(bench.broker.url) as server:
        _submit(bench, server, concurrency=8, onlookers=0)
        for concurrency in _CONCURRENCIES:
            bench.tell(f"Submits among {PAGES} pages and {WAITERS} waiters, {concurrency} at a time")
            alone, attended = interleave(
                bench.extent.rounds,
                partial(_submit, bench, server, concurrency=concurrency, onlookers=0),
                partial(_submit, bench, server, concurrency=concurrency, onlookers=1),
            )
            yield from _describe(f"submit, c={concurrency}", alone, attended)


def _submit(bench: Bench, server: Server, *, concurrency: int, onlookers: int) -> Load:
    """Submit for some seconds to a broker that holds what the waiters wait for."""
    bench.broker.flush()
    with bench.broker.client(seconds=None) as redis:
        stored = bench.ours.store(redis, bench.folder, count=WAITERS, completed=False)
    looks = [*map(wait_for_end, stored.ids), *[watch_list] * PAGES]
    random.Random(1).shuffle(looks)  # noqa: S311 - so that both kinds come in turns
    with attend(server.port, looks * onlookers) as audience:
        load = drive(
            server.url,
            [PATH],
            folder=bench.folder,
            connections=concurrency,
            seconds=bench.extent.seconds,
            body=SUBMISSION,
        )
        if refusals := sum(onlooker.refusals for onlooker in audience):
            raise BenchmarkError(f"{refusals} requests of onlookers were refused.")
    return load


def _describe(name: str, alone: list[Load], attended: list[Load]) -> Iterator[Row]:
    among = f"{name}, among {PAGES} pages and {WAITERS} waiters"
    yield Row(f"{name}, p50, nobody else", "ms", [load.p50_ms for load in alone])
    yield Row(f"{among}, p50", "ms", [load.p50_ms for load in attended])
    before, after = [load.p99_ms for load in alone], [load.p99_ms for load in attended]
    yield Row(f"{name}, p99, nobody else", "ms", before)
    yield Row(f"{among}, p99", "ms", after)
    yield Row(f"{among}, p99 to nobody else", "times", divide_pairs(after, before), bar=_BAR)
