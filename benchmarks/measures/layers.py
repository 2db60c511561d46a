"""Where the time of a completed report's status goes: the share of each layer, as py-spy samples it."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import psutil

from benchmarks.bench import Bench
from benchmarks.load import drive
from benchmarks.rows import Row
from harness.errors import MissingToolError

_LAYERS = {
    "gunicorn": "gunicorn",
    "flask": "Flask and Werkzeug",
    "werkzeug": "Flask and Werkzeug",
    "flask_wtf": "Flask and Werkzeug",
    "redis": "redis-py",
    "reports_app": "ours",
    "reports_worker": "ours",
}
_STORED = 1000
_CONCURRENCY = 8
_SAMPLES_PER_SECOND = 400


def measure_layers(bench: Bench) -> Iterator[Row]:
    """Sample one API process under load; what the standard library does counts for who called it."""
    tool = find_py_spy()
    bench.tell("Where a status goes")
    shares = [_sample(bench, tool) for _ in range(bench.extent.rounds)]
    for layer in dict.fromkeys(_LAYERS.values()):
        yield Row(f"status completed: share of {layer}", "%", [share[layer] for share in shares])


def find_py_spy() -> str:
    """Find it on PATH; raise MissingToolError where it is not."""
    tool = shutil.which("py-spy")
    if tool is None:
        raise MissingToolError(
            "py-spy is needed to see where time goes, and is not on PATH: pip install py-spy"
        )
    return tool


def _sample(bench: Bench, tool: str) -> dict[str, float]:
    bench.broker.flush()
    with bench.broker.client(seconds=None) as redis:
        stored = bench.ours.store(redis, bench.folder, count=_STORED, completed=True)
    with bench.ours.serve(bench.broker.url, stored=stored) as server:
        ask = partial(
            drive,
            server.url,
            [f"/api/reports/{task_id}" for task_id in stored.ids],
            folder=bench.folder,
            connections=_CONCURRENCY,
        )
        ask(seconds=1)
        load = threading.Thread(target=ask, kwargs={"seconds": bench.extent.seconds + 1})
        load.start()
        stacks = _record(tool, _find_process(server.pid), bench.extent.seconds, bench.folder / "stacks")
        load.join()
    return share_out(stacks)


def _find_process(pid: int) -> int:
    """One of the processes that serve."""
    (first, *_) = psutil.Process(pid).children()
    return int(first.pid)


def _record(tool: str, pid: int, seconds: int, path: Path) -> list[str]:
    limits = ["--duration", str(seconds), "--rate", str(_SAMPLES_PER_SECOND)]
    command = [tool, "record", "--gil", "--format", "raw", "--output", str(path), "--pid", str(pid), *limits]
    subprocess.run(command, check=True, capture_output=True)
    return path.read_text(encoding="utf-8").splitlines()


def share_out(stacks: Iterable[str]) -> dict[str, float]:
    """Give each sample to the innermost frame of a layer; in percent of all.

    A line is `frame;frame;frame count`.
    """
    found = Counter[str]()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        layers = (_LAYERS.get(_package(frame), "") for frame in reversed(stack.split(";")))
        found[next(filter(None, layers), "")] += int(count)
    total = sum(found.values()) or 1
    return {layer: 100 * found[layer] / total for layer in dict.fromkeys(_LAYERS.values())}


def _package(frame: str) -> str:
    """The package of a frame such as `handle (gunicorn/workers/gthread.py:42)`."""
    return frame.rpartition("(")[2].partition("/")[0]
