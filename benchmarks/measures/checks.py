"""The peer beside bare servers, each in one process: whether the run counts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.bench import Bench
from benchmarks.load import Load
from benchmarks.rounds import divide_pairs, interleave
from benchmarks.targets import serve_bare_asgi
from benchmarks.void import Check

from .submits import CONCURRENCIES, submit


def check_peer(bench: Bench) -> Iterator[Check]:
    """Measure the peer's submits to those of a server that does nothing."""
    with (
        bench.peer.serve(bench.broker.url, processes=1) as peer,
        serve_bare_asgi(bench.peer.python) as bare,
    ):
        for server in (peer, bare):
            submit(bench, server, concurrency=8)
        for concurrency in CONCURRENCIES:
            bench.tell(f"The peer beside a bare server, {concurrency} at a time")
            of_peer, of_bare = interleave(
                bench.extent.rounds,
                partial(submit, bench, peer, concurrency=concurrency),
                partial(submit, bench, bare, concurrency=concurrency),
            )
            yield Check(concurrency, divide_pairs(_rates(of_peer), _rates(of_bare)))


def _rates(loads: list[Load]) -> list[float]:
    return [load.requests_per_second for load in loads]
