"""GET /api/reports/{task_id}, of reports that wait and of reports that are completed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.bench import Bench
from benchmarks.errors import BenchmarkError
from benchmarks.load import Load, drive
from benchmarks.rounds import interleave
from benchmarks.rows import AtLeast, Row
from benchmarks.targets import Server, Stored
from harness.client import Client

from .submits import describe_loads

_STORED = 1000
_CONCURRENCY = 8
_BARS = {"pending": AtLeast(1), "completed": AtLeast(0.8)}


def measure_status(bench: Bench) -> Iterator[Row]:
    """Measure the status of a thousand reports in turn."""
    for status, bar in _BARS.items():
        bench.tell(f"The status of {status} reports")
        bench.broker.flush()
        with bench.broker.client(seconds=None) as redis:
            our_reports, peer_reports = (
                side.store(redis, bench.folder, count=_STORED, completed=status == "completed")
                for side in (bench.ours, bench.peer)
            )
        url = bench.broker.url
        with (
            bench.ours.serve(url, stored=our_reports) as ours,
            bench.peer.serve(url, stored=peer_reports) as peer,
        ):
            for server, reports in ((ours, our_reports), (peer, peer_reports)):
                _make_sure(server, reports, status)
                _ask(bench, server, reports)
            of_ours, of_peer = interleave(
                bench.extent.rounds,
                partial(_ask, bench, ours, our_reports),
                partial(_ask, bench, peer, peer_reports),
            )
            yield from describe_loads(f"status {status}, c={_CONCURRENCY}", of_ours, of_peer, bar, None)


def _make_sure(server: Server, reports: Stored, status: str) -> None:
    client = Client(server.port)
    found = client.get(f"/api/reports/{reports.ids[-1]}")["status"]
    client.close()
    if found != status:
        raise BenchmarkError(f"A report that was stored as {status} is shown as {found}.")


def _ask(bench: Bench, server: Server, reports: Stored) -> Load:
    return drive(
        server.url,
        [f"/api/reports/{task_id}" for task_id in reports.ids],
        folder=bench.folder,
        connections=_CONCURRENCY,
        seconds=bench.extent.seconds,
    )
