"""The warm-up of a standby process."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from reports_worker.execution.warmup import list_warmups
from reports_worker.formats.charts import renderer
from reports_worker.settings.data import DataSettings

_LOADED = """
import sys
from reports_worker.settings.data import DataSettings
from reports_worker.execution.warmup import list_warmups
for warm_up in list_warmups(DataSettings(warehouse=sys.argv[1] or None)):
    warm_up()
print(*sys.modules)
"""


def list_modules(warehouse: str) -> set[str]:
    """List the modules that a new process has loaded after the warm-up."""
    command = [sys.executable, "-c", _LOADED, warehouse]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())


def test_the_warm_up_loads_what_reports_over_a_warehouse_need(tmp_path: Path) -> None:
    modules = list_modules(str(tmp_path))

    assert {
        "reports_worker.execution.export",
        "reports_worker.warehouse.open",
        "vl_convert",
        "typst",
    } <= modules


def test_without_a_warehouse_the_warm_up_loads_no_engine() -> None:
    assert not {"reports_worker.execution.export", "vl_convert", "duckdb"} & list_modules("")


def test_a_warm_up_step_that_fails_is_logged_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError("no memory for it")

    monkeypatch.setattr(renderer, "start_engine", fail)
    with caplog.at_level(logging.WARNING):
        for warm_up in list_warmups(DataSettings(warehouse="/nowhere")):
            warm_up()

    assert [record.getMessage() for record in caplog.records] == [
        "a warm-up step for reports over data failed: no memory for it"
    ]
