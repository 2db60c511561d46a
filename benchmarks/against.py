"""`python -m benchmarks.against CHECKOUT`: compare this checkout with another one of the product.

Both run in the same environment, each on a broker of its own, and each round measures both, so that what slows
the machine down slows down both. One client sends its requests to both in turn, which finds differences of a
percent. Prints a ratio for each load and writes no page.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.data.demo_warehouses import make_folder
from benchmarks.targets.port import Server, is_calm, run_server
from harness.broker import ConfiguredBroker, run_broker
from harness.client import Client
from harness.errors import HarnessError
from harness.ports import free_port
from harness.processes import interrupt_on_sigterm, run_program
from harness.wait import wait_until

from .environments import BROKER_OPTIONS, ROOT
from .errors import BenchmarkError
from .load import SUBMISSION, drive
from .rounds import divide_pairs, summarise

ORDERS = 20_000
_COMMANDS = Path(sys.executable).parent
_PATH = "/api/reports"
_WORKERS = 2
_STORED = 500
_BATCHES = 4
_PICKED_UP = 30
_LONGEST_SECONDS = 120
_WARM_UP_SECONDS = 2
_UNMEASURED_REQUESTS = 100
_ALTERNATED_REQUESTS = 1000
# How many reports a batch has, and how they are requested.
_KINDS: Mapping[str, tuple[int, Mapping[str, object]]] = {
    "tiny reports, no files": (20, {"type": "probe", "formats": []}),
    "sales, csv": (8, {"type": "sales", "formats": ["csv"]}),
    "sales, all files": (4, {"type": "sales"}),
}
_PROBE = """\
from reports_worker.authoring import ReportType

TYPE = ReportType("probe", "Probe", "", lambda _: {"one": 1}, parameters=[])
"""


@dataclass(frozen=True)
class Checkout:
    """A checkout whose API runs over a broker of its own."""

    folder: Path
    broker: ConfiguredBroker
    server: Server
    environ: dict[str, str]

    def fill(self) -> list[str]:
        """Store reports that wait; return the paths of their statuses."""
        self.broker.flush()
        client = Client(self.server.port)
        paths = [f"{_PATH}/{client.submit()}" for _ in range(_STORED)]
        client.close()
        return paths


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("checkout", type=Path, help="the folder of the other checkout")
    parser.add_argument(
        "--rounds", type=int, default=7, metavar="N", help="rounds, each with servers of its own (7)"
    )
    parser.add_argument("--seconds", type=int, default=2, metavar="N", help="seconds of each load (2)")
    parser.add_argument("--requests", action="store_true", help="leave out the making of reports")
    options = parser.parse_args(arguments)
    if not (options.checkout / "reports_app").is_dir():
        print(f"{options.checkout} is no checkout of the product: give the folder of one.", file=sys.stderr)
        return 1
    try:
        rows = compare(
            options.checkout.resolve(),
            rounds=options.rounds,
            seconds=options.seconds,
            kinds={} if options.requests else _KINDS,
        )
    except HarnessError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\n{render(rows)}")
    return 0


# What was measured, its unit, and a value for each round: of this checkout, and of the other.
Comparison = tuple[str, str, list[float], list[float]]


def render(rows: Sequence[Comparison]) -> str:
    """Write the medians of both, and the ratio of each round: its median, least and most."""
    lines = [f"{'':<28}{'this':>10}{'other':>10}  this/other (least to most)"]
    for name, unit, this, other in rows:
        ratio = summarise(divide_pairs(this, other))
        medians = f"{summarise(this).median:>10.1f}{summarise(other).median:>10.1f}"
        lines.append(
            f"{name:<28}{medians}  {ratio.median:.3f} ({ratio.least:.2f} to {ratio.most:.2f})  {unit}"
        )
    return "\n".join(lines)


def compare(
    other: Path, *, rounds: int, seconds: int, kinds: Mapping[str, tuple[int, Mapping[str, object]]]
) -> list[Comparison]:
    """Measure both in each round, with servers of its own: two processes of the same code differ by some percent."""
    found: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="against-") as temporary:
        warehouse = make_folder(ORDERS, print)
        for number in range(rounds):
            print(f"Round {number + 1} of {rounds}", flush=True)
            roots = [ROOT, other] if number % 2 == 0 else [other, ROOT]
            with ExitStack() as stack:
                folder = Path(temporary) / str(number)
                sides = [
                    _open(stack, root, folder / str(place), warehouse) for place, root in enumerate(roots)
                ]
                for *row, values in _measure(stack, sides, seconds=seconds, kinds=kinds):
                    this, that = values if roots[0] == ROOT else reversed(values)
                    print(f"  {row[0]:<26}{this:>10.1f}{that:>10.1f}  {this / that:.3f}", flush=True)
                    of_this, of_that = found.setdefault((row[0], row[1]), ([], []))
                    of_this.append(this)
                    of_that.append(that)
    return [(name, unit, *values) for (name, unit), values in found.items()]


def _measure(
    stack: ExitStack,
    sides: Sequence[Checkout],
    *,
    seconds: int,
    kinds: Mapping[str, tuple[int, Mapping[str, object]]],
) -> Iterator[tuple[str, str, list[float]]]:
    """Yield what is measured, its unit and a value for each side."""
    for side in sides:
        side.broker.flush()
    yield "submit, one client", "requests/s", _alternate_requests(sides, lambda client, _: client.submit())
    submit = partial(_submit, connections=8, seconds=seconds)
    yield "submit, 8 at a time", "requests/s", [submit(side) for side in sides]
    paths = {side.folder: side.fill() for side in sides}
    status = _alternate_requests(sides, lambda client, side: client.get(secrets.choice(paths[side.folder])))
    yield "status, one client", "requests/s", status
    load = partial(_load, connections=8, seconds=seconds)
    yield "status, 8 at a time", "requests/s", [load(side, paths[side.folder]) for side in sides]
    yield (
        "list of 100, one client",
        "requests/s",
        _alternate_requests(sides, lambda client, _: client.get(_PATH)),
    )
    if not kinds:
        return
    for side in sides:
        side.broker.flush()
    workers = [pid for side in sides for pid in _work(stack, side)]
    _wait_until_calm(workers)
    yield "pick-up, one at a time", "starts/s", _pick_up(sides)
    for name, (count, wanted) in kinds.items():
        for side in sides:
            _make(side, count=_WORKERS, wanted=wanted)
        yield name, "reports/s", _make_batches(sides, workers, count=count, wanted=wanted)


def _alternate(
    sides: Sequence[Checkout], measure: Callable[[Checkout], float], *, times: int, unmeasured: int = 0
) -> list[float]:
    """Measure the sides in turn, in an order by chance; return the median of each.

    What disturbs the machine for longer than one turn disturbs all sides alike, so this finds smaller differences
    than loads of seconds one after the other.
    """
    measured: list[list[float]] = [[] for _ in sides]
    for number in range(unmeasured + times):
        for place in random.sample(range(len(sides)), len(sides)):
            value = measure(sides[place])
            if number >= unmeasured:
                measured[place].append(value)
    return [median(values) for values in measured]


def _alternate_requests(
    sides: Sequence[Checkout], request: Callable[[Client, Checkout], object]
) -> list[float]:
    """Send single requests to the sides in turn; return requests a second of each."""

    def measure(side: Checkout) -> float:
        begin = time.perf_counter()
        request(clients[side.folder], side)
        return time.perf_counter() - begin

    with _connect(sides) as clients:
        seconds = _alternate(sides, measure, times=_ALTERNATED_REQUESTS, unmeasured=_UNMEASURED_REQUESTS)
    return [1 / value for value in seconds]


@contextmanager
def _connect(sides: Sequence[Checkout]) -> Iterator[Mapping[Path, Client]]:
    """Connect a client to each side, by its folder."""
    clients = {side.folder: Client(side.server.port) for side in sides}
    yield clients
    for client in clients.values():
        client.close()


def _open(stack: ExitStack, root: Path, folder: Path, warehouse: Path) -> Checkout:
    types = folder / "types"
    types.mkdir(parents=True)
    (types / "probe.py").write_text(_PROBE, encoding="utf-8")
    broker = stack.enter_context(run_broker(folder, *BROKER_OPTIONS))
    port = free_port()
    environ = {
        "ConnectionStrings__broker": broker.url,
        "ConnectionStrings__warehouse": str(warehouse),
        "ConnectionStrings__artifacts": str(folder / "artifacts"),
        "REPORTS_PATH": str(types),
    }
    command: list[str | Path] = [
        _COMMANDS / "gunicorn", "-c", "python:reports_app.gunicorn_conf", "reports_app:create_app()",
    ]  # fmt: skip
    secret = {"REPORTS_SECRET_KEY": secrets.token_hex(16)}
    server = stack.enter_context(
        run_server(command, folder=root, port=port, PORT=str(port), **environ, **secret)
    )
    checkout = Checkout(root, broker, server, environ)
    # The first requests of each process wait until the definitions are read.
    _submit(checkout, connections=8, seconds=_WARM_UP_SECONDS)
    return checkout


def _work(stack: ExitStack, side: Checkout) -> list[int]:
    """Start the workers of a side; return their process ids."""
    command: list[str | Path] = [_COMMANDS / "rq", "worker", "-c", "reports_worker.rq_config"]
    workers = [
        stack.enter_context(run_program(command, folder=side.folder, **side.environ)) for _ in range(_WORKERS)
    ]
    return [worker.pid for worker in workers]


def _submit(side: Checkout, *, connections: int, seconds: int) -> float:
    side.broker.flush()
    return _load(side, [_PATH], connections=connections, seconds=seconds, body=SUBMISSION)


def _load(side: Checkout, paths: Sequence[str], *, connections: int, seconds: int, body: str = "") -> float:
    load = drive(
        side.server.url,
        paths,
        folder=Path(side.environ["REPORTS_PATH"]).parent,
        connections=connections,
        seconds=seconds,
        body=body,
    )
    return load.requests_per_second


def _pick_up(sides: Sequence[Checkout]) -> list[float]:
    """Request reports from the sides in turn; return how often a second the time from request to start fits in."""

    def measure(side: Checkout) -> float:
        client = clients[side.folder]
        task_id = client.submit({"title": "Against", "type": "probe", "formats": []})
        report = client.get(f"{_PATH}/{task_id}?wait=10")
        start, request = (datetime.fromisoformat(report[name]) for name in ("started_at", "created_at"))
        return (start - request).total_seconds()

    with _connect(sides) as clients:
        seconds = _alternate(sides, measure, times=_PICKED_UP)
    return [1 / max(value, 0.001) for value in seconds]


def _make_batches(
    sides: Sequence[Checkout], workers: Sequence[int], *, count: int, wanted: Mapping[str, object]
) -> list[float]:
    """Have batches of reports made by the sides in turn; return reports a second of each.

    A batch begins once all workers have prepared for it, so that none of them disturbs that of the other side.
    """

    def measure(side: Checkout) -> float:
        _wait_until_calm(workers)
        return _make(side, count=count, wanted=wanted)

    return _alternate(sides, measure, times=_BATCHES)


def _wait_until_calm(workers: Sequence[int]) -> None:
    wait_until(lambda: is_calm(*workers), what="the workers to come to rest")


def _make(side: Checkout, *, count: int, wanted: Mapping[str, object]) -> float:
    """Have so many reports made by two workers; return reports a second."""
    client = Client(side.server.port)
    begin = time.monotonic()
    paths = [f"{_PATH}/{client.submit({'title': 'Against', **wanted})}" for _ in range(count)]
    for path in paths:
        while (report := client.get(f"{path}?wait=10"))["status"] not in ("completed", "failed"):
            if time.monotonic() - begin > _LONGEST_SECONDS:
                raise BenchmarkError(f"Waited {_LONGEST_SECONDS} s in vain for {count} reports.")
        if report["status"] == "failed":
            raise BenchmarkError(f"A report failed: {report['error']}")
    seconds = time.monotonic() - begin
    client.close()
    return count / seconds


if __name__ == "__main__":
    interrupt_on_sigterm()
    sys.exit(main())
