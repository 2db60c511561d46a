"""The files that reports have left, as the fault suite looks at them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from faults.judging.kept_files import count_spoiled, find_half_written

WHOLE = "one/e2/rows.csv"
REPORT: Any = {
    "task_id": "one",
    "artifacts": [{"name": "rows.csv", "sha256": hashlib.sha256(b"rows").hexdigest()}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, WHOLE, b"rows")
    return tmp_path


def write(folder: Path, name: str, data: bytes = b"half") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_files_that_were_published_are_whole(folder: Path) -> None:
    (folder / ".scratch").mkdir()

    assert find_half_written(folder, {"one": "e2"}) == []
    assert count_spoiled(folder, REPORT, "e2") == 0


@pytest.mark.parametrize(
    "left",
    [".scratch/one.e1/rows.spool.parquet", "one/e1/rows.csv", "one/e2/.rows.csv.part", "two/e1/rows.csv"],
)
def test_what_no_execution_published_is_half_written(folder: Path, left: str) -> None:
    write(folder, left)

    assert find_half_written(folder, {"one": "e2"}) == [Path(left)]


def test_a_file_that_is_missing_or_changed_is_spoiled(folder: Path) -> None:
    assert count_spoiled(folder, REPORT, "e1") == 1

    write(folder, WHOLE, b"ROWS")

    assert count_spoiled(folder, REPORT, "e2") == 1
