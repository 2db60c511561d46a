"""What a worker imports before it forks, and the warm-up of a standby process."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable

import pytest

from reports_worker.execution import warmup
from reports_worker.execution.warmup import preload, warm_up
from reports_worker.settings.data import DataSettings

_PRELOAD = """
import os, sys
from reports_worker.execution.warmup import preload
from reports_worker.settings.data import DataSettings
preload(DataSettings(warehouse=sys.argv[1] or None))
print(len(os.listdir("/proc/self/task")), *sys.modules)
"""


def preload_in_process(warehouse: str) -> tuple[int, set[str]]:
    """Return the number of threads and the modules of a new process after its preload."""
    command = [sys.executable, "-c", _PRELOAD, warehouse]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr
    threads, *modules = done.stdout.split()
    return int(threads), set(modules)


@pytest.mark.parametrize(
    ("warehouse", "engine", "dialect"),
    [
        ("/nowhere", "duckdb", "duckdb"),
        ("postgresql://user@127.0.0.1:1/nothing", "postgresql", "postgres"),
        ("sqlite:////nowhere", "sqlalchemy", "sqlite"),
    ],
)
def test_a_worker_imports_what_its_job_processes_need_and_uses_none_of_it(
    warehouse: str, engine: str, dialect: str
) -> None:
    threads, modules = preload_in_process(warehouse)

    assert {
        "reports_worker.execution.export",
        f"reports_worker.warehouse.{engine}.engine",
        f"sqlglot.dialects.{dialect}",
        "typst",
        "xlsxwriter",
    } <= modules
    assert threads == 1, "a library that is used before a fork may hang in the child"


def test_without_a_warehouse_a_worker_imports_no_engine() -> None:
    assert not {"reports_worker.execution.export", "vl_convert", "duckdb"} & preload_in_process("")[1]


@pytest.mark.parametrize("error", [OSError, SystemExit])
@pytest.mark.parametrize(
    ("step", "run"),
    [
        ("_load_engine", preload),
        ("_load_export", preload),
        ("_start_chart_renderer", warm_up),
    ],
)
def test_a_step_that_fails_is_logged_and_ends_no_worker(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
    run: Callable[[DataSettings], None],
    error: type[BaseException],
) -> None:
    def fail(*_: object) -> None:
        raise error("no memory for it")

    monkeypatch.setattr(warmup, step, fail)
    with caplog.at_level(logging.WARNING):
        run(DataSettings(warehouse="/nowhere"))

    assert [record.getMessage() for record in caplog.records] == [
        f"a warm-up step for reports over data failed: {error.__name__}: no memory for it"
    ]


def test_a_signal_to_stop_ends_the_preload(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise StopIteration

    monkeypatch.setattr(warmup, "_load_engine", stop)
    monkeypatch.setattr(warmup, "_load_export", pytest.fail)

    with pytest.raises(StopIteration):
        preload(DataSettings(warehouse="/nowhere"), StopIteration)


def test_without_a_warehouse_no_renderer_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmup, "_start_chart_renderer", pytest.fail)

    warm_up(DataSettings())
