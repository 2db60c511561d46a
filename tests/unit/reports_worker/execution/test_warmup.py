"""What a making process prepares while it waits for its report."""

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
for prepare in list_warmups(DataSettings(warehouse=sys.argv[1] or None)):
    prepare()
print(*sys.modules)
"""


def list_modules(warehouse: str) -> set[str]:
    """What a new process has loaded once it has prepared itself."""
    command = [sys.executable, "-c", _LOADED, warehouse]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())


def test_what_reports_over_a_warehouse_need_is_there_before_them(tmp_path: Path) -> None:
    modules = list_modules(str(tmp_path))

    assert {
        "reports_worker.execution.export",
        "reports_worker.warehouse.open",
        "vl_convert",
        "typst",
    } <= modules


def test_without_a_warehouse_nothing_is_loaded_for_one() -> None:
    assert not {"reports_worker.execution.export", "vl_convert", "duckdb"} & list_modules("")


def test_a_step_that_fails_is_logged_and_the_others_are_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError("no memory for it")

    monkeypatch.setattr(renderer, "start_engine", fail)
    with caplog.at_level(logging.WARNING):
        for prepare in list_warmups(DataSettings(warehouse="/nowhere")):
            prepare()

    assert [record.getMessage() for record in caplog.records] == [
        "cannot prepare for reports over data: no memory for it"
    ]
