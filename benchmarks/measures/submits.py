"""POST /api/reports, while no worker runs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.bench import Bench
from benchmarks.load import SUBMISSION, Load, drive
from benchmarks.rounds import interleave
from benchmarks.rows import AtLeast, AtMost, Row
from benchmarks.targets import Server, Side
from harness.client import Client
from harness.proxies.counting import count_before

CONCURRENCIES = (1, 8, 32)
PATH = "/api/reports"

_WARM_UP = 20
_COUNTED = 100


def measure_submits(bench: Bench) -> Iterator[Row]:
    """Measure requests per second and latency, by concurrency."""
    bench.broker.flush()
    url = bench.broker.url
    with bench.ours.serve(url) as ours, bench.peer.serve(url) as peer:
        for server in (ours, peer):
            submit(bench, server, concurrency=8)
        for concurrency in CONCURRENCIES:
            bench.tell(f"Submits, {concurrency} at a time")
            of_ours, of_peer = interleave(
                bench.extent.rounds,
                partial(submit, bench, ours, concurrency=concurrency),
                partial(submit, bench, peer, concurrency=concurrency),
            )
            yield from describe_loads(f"submit, c={concurrency}", of_ours, of_peer, AtLeast(1), AtMost(1))


def submit(bench: Bench, server: Server, *, concurrency: int) -> Load:
    """Submit for some seconds to a broker that is empty at first."""
    bench.broker.flush()
    return drive(
        server.url,
        [PATH],
        folder=bench.folder,
        connections=concurrency,
        seconds=bench.extent.seconds,
        body=SUBMISSION,
    )


def describe_loads(
    name: str, ours: list[Load], peer: list[Load], rate_bar: AtLeast, p99_bar: AtMost | None
) -> Iterator[Row]:
    """Make the three rows of a load."""
    yield Row(
        name,
        "requests/s",
        [load.requests_per_second for load in ours],
        [load.requests_per_second for load in peer],
        rate_bar,
    )
    yield Row(f"{name}, p50", "ms", [load.p50_ms for load in ours], [load.p50_ms for load in peer])
    yield Row(f"{name}, p99", "ms", [load.p99_ms for load in ours], [load.p99_ms for load in peer], p99_bar)


def measure_round_trips(bench: Bench) -> Iterator[Row]:
    """Count what one submit sends to Redis, in one process that has done so before."""
    bench.tell("Redis round trips of a submit")
    ours, peer = count_traffic(bench, bench.ours), count_traffic(bench, bench.peer)
    yield Row("Redis round trips per submit", "", [ours[0]], [peer[0]])
    yield Row("Redis commands per submit", "", [ours[1]], [peer[1]])


def count_traffic(bench: Bench, side: Side) -> tuple[float, float]:
    """Count round trips and commands of a submit."""
    bench.broker.flush()
    with (
        count_before(bench.broker.port) as proxy,
        side.serve(bench.broker.url_at(proxy.port), processes=1) as server,
    ):
        client = Client(server.port)
        for _ in range(_WARM_UP):
            client.submit()
        round_trips, commands = proxy.round_trips, proxy.commands
        for _ in range(_COUNTED):
            client.submit()
        client.close()
        return (proxy.round_trips - round_trips) / _COUNTED, (proxy.commands - commands) / _COUNTED
