"""GET /api/reports among few and many stored reports, all completed: ours a page of 100, the peer's all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from benchmarks.bench import Bench
from benchmarks.errors import BenchmarkError
from benchmarks.rounds import divide_pairs, interleave
from benchmarks.rows import Row, Within
from benchmarks.targets import Server, Side
from harness.client import Client

_PATH = "/api/reports"
_PAGE = 100
_BAR = Within(1.5)


def measure_lists(bench: Bench) -> Iterator[Row]:
    """Measure the list in databases of different sizes, every one in each round."""
    bench.broker.flush()
    sizes = bench.extent.stored
    with ExitStack() as stack:
        asks = [
            stack.enter_context(_serve(bench, side, database=database, count=count))
            for database, count in enumerate(sizes)
            for side in (bench.ours, bench.peer)
        ]
        bench.tell(f"Lists of {_PAGE} among up to {sizes[-1]:,}; the peer lists all, which takes its time")
        times = interleave(bench.extent.rounds, *asks)
    ours, peer = times[::2], times[1::2]
    for count, of_ours, of_peer in zip(sizes, ours, peer, strict=True):
        yield Row(f"list among {count:,}", "ms", of_ours, of_peer)
    name = f"list among {sizes[-1]:,} to list among {sizes[0]:,}"
    yield Row(name, "times", divide_pairs(ours[-1], ours[0]), divide_pairs(peer[-1], peer[0]), _BAR)


@contextmanager
def _serve(bench: Bench, side: Side, *, database: int, count: int) -> Iterator[Callable[[], float]]:
    """Fill a database and serve it; give what measures a list, in milliseconds."""
    bench.tell(f"Storing {count:,} reports")
    with bench.broker.client(database=database, seconds=None) as redis:
        stored = side.store(redis, bench.folder, count=count, completed=True)
    with side.serve(bench.broker.url_at(database=database), stored=stored) as server:
        if count == _PAGE:
            _make_sure(server)
        yield lambda: _ask(server, seconds=bench.extent.seconds)


def _make_sure(server: Server) -> None:
    client = Client(server.port)
    found = [report["status"] for report in client.get(_PATH)]
    client.close()
    if found != ["completed"] * _PAGE:
        raise BenchmarkError(f"{_PAGE} completed reports were stored, and the list shows {found}.")


def _ask(server: Server, *, seconds: float) -> float:
    client = Client(server.port)
    taken = client.time(_PATH, seconds=seconds)
    client.close()
    return median(taken)
