"""Where demo data for measurements are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.data.demo_warehouses import UNTIL, VARIABLE, make_folder
from reports_worker.demo.generator import Demo


def test_demo_data_are_written_once_into_the_folder_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    told: list[str] = []

    first = make_folder(100, told.append)
    again = make_folder(100, told.append)

    assert first == again == tmp_path / "100-orders"
    assert Demo.find(first) == Demo(100, 1, UNTIL)
    assert told == ["Writing demo data of 100 orders, for this time and all later ones"]
