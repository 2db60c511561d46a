"""How long people wait for files: a PDF, and all files of a small report over real data."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.data.children import run_child
from benchmarks.data.demo_warehouses import make_folder
from benchmarks.environments import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.rows import Row, Within
from benchmarks.targets.port import count_blocked
from harness.processes import run_program
from harness.wait import wait_until
from reports_worker import Reports, Status
from reports_worker.settings.core import Settings

SMALL_ORDERS = 20_000
_PARAMETERS = {"period": {"preset": "last_quarter"}}
_LONGEST = timedelta(minutes=1)
_REST_SECONDS = 1
_FILES = 14


def measure_files(bench: Bench) -> Iterator[Row]:
    """Measure the PDF in a new process each round, the report with one worker that waits."""
    bench.tell("A PDF, and all files of a small report")
    yield Row(
        "PDF of 2 charts and 500 rows, in a new job process",
        "s",
        [_write_pdf(bench) for _ in range(bench.extent.rounds)],
        bar=Within(1.5),
    )
    yield Row(
        f"sales over {SMALL_ORDERS:,} orders, submit to all {_FILES} files",
        "s",
        _make_reports(bench),
        bar=Within(2.5),
    )


def _write_pdf(bench: Bench) -> float:
    folder = bench.folder / "pdf"
    folder.mkdir()
    try:
        return run_child("-m", "benchmarks.data.pdf_ours", folder).seconds
    finally:
        shutil.rmtree(folder)


def _make_reports(bench: Bench) -> list[float]:
    bench.broker.flush()
    environ = {
        "ConnectionStrings__broker": bench.broker.url,
        "ConnectionStrings__warehouse": str(make_folder(SMALL_ORDERS, bench.tell)),
        "ConnectionStrings__artifacts": str(bench.folder / "artifacts"),
    }
    command: list[str | Path] = [
        Path(sys.executable).parent / "rq",
        "worker",
        "-c",
        "reports_worker.rq_config",
    ]
    with run_program(command, folder=ROOT, **environ), bench.broker.client(seconds=None) as redis:
        reports = Reports(Settings.from_environ(environ))

        def is_ready() -> bool:
            return count_blocked(redis, "blmove") == 1 and "sales" in reports.types

        seconds = []
        for _ in range(bench.extent.rounds):
            wait_until(is_ready, what="our worker to wait for tasks")
            time.sleep(_REST_SECONDS)
            begin = time.monotonic()
            task_id = reports.submit("Sales", "sales", parameters=_PARAMETERS)
            report = reports.wait(task_id, timeout=_LONGEST)
            seconds.append(time.monotonic() - begin)
            if report.status is not Status.COMPLETED or len(report.artifacts) != _FILES:
                raise BenchmarkError(f"A report did not end as it should: {report}")
    return seconds
