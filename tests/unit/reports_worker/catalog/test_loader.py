"""Definitions in their files, and the process that inspects them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.wait import wait_until
from reports_worker.catalog.errors import Broken, BrokenFileError
from reports_worker.catalog.inspection import inspect_all
from reports_worker.catalog.live_catalog import LiveCatalog
from reports_worker.catalog.loader import UnknownTypeError, load
from reports_worker.settings.data import DataSettings

GOOD = """
from _helper import TITLE
from reports_worker.authoring import Contents, ReportType

TYPE = ReportType("visits", TITLE, "Who came.", lambda assignment: Contents({"visits": 1}))
"""
BAD = {
    "binary.py": (b"\x00\x01\x02", "cannot be loaded|not valid Python"),
    "crashes.py": (b"import os\nos._exit(3)\n", "ends the process that loads it"),
    "exits.py": (b"raise SystemExit(1)\n", "SystemExit"),
    "large.py": (b"#" * (2**20 + 1), "larger than 1 MiB"),
    "interrupts.py": (b"raise KeyboardInterrupt('now')\n", "cannot be loaded: KeyboardInterrupt: now"),
    "nothing.py": (b"x = 1\n", "has no TYPE"),
    "other.py": (GOOD.encode(), "must be named as the file"),
    "prints.py": (b"print('{')\nraise ValueError('no')\n", "ValueError: no"),
    "sales.py": (GOOD.encode(), "'sales' is a built-in type"),
    "syntax.py": (b"x = (\n\ny = )\n", "not valid Python"),
    "Upper.sql": (b"", "lower-case letters"),
    "words.sql": (
        b"-- title = 'x'\n\xff\n",
        "not text in UTF-8|none is set: set ConnectionStrings__warehouse",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    (folder / "visits.py").write_text(GOOD)
    (folder / "_helper.py").write_text('TITLE = "Visits"\n')
    for name, (data, _) in BAD.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Any:
    """The output of the process for this folder."""
    environ = {**os.environ, "REPORTS_PATH": str(folder), "ConnectionStrings__warehouse": ""}
    command = [sys.executable, "-m", "reports_worker.catalog"]
    return json.loads(
        subprocess.run(command, env=environ, capture_output=True, check=True, timeout=60).stdout
    )


def test_no_reason_why_a_file_is_broken_shows_a_password(tmp_path: Path) -> None:
    """Neither in the text of an error, nor half of it where that is cut, nor in a parameter of the file."""
    types, warehouse = tmp_path / "types", tmp_path / "warehouse"
    types.mkdir()
    warehouse.mkdir()
    (warehouse / "orders.csv").write_text("number\n1\n")
    told = "import os\nPASSWORD = os.environ['CRM_PASSWORD']\n"
    parameter = "from reports_worker.authoring import *\nTYPE = ReportType('x', 'X', '', None, "
    for name, text in {
        "tells.py": f"{told}raise RuntimeError('no ' + PASSWORD)\n",
        "tells_half.py": f"{told}raise RuntimeError('.' * 280 + PASSWORD * 2)\n",
        "tells_default.py": f"{told}{parameter}parameters=[Integer(name='n', default=PASSWORD)])\n",
    }.items():
        (types / name).write_text(text)
    (types / "asks.sql").write_text(
        "-- title = 'x'\n-- [[parameters]]\n-- kind = 'choice'\n-- name = 'region'\n"
        "-- query = \"SELECT error('no s3cr3t-of-crm at redis://:other@db')\"\n"
        "-- table: orders, Orders\nSELECT * FROM orders WHERE number = :region\n"
    )
    environ = {**os.environ, "CRM_PASSWORD": "s3cr3t-of-crm", "REPORTS_PATH": str(types)}

    answer = subprocess.run(
        [sys.executable, "-m", "reports_worker.catalog"],
        env={**environ, "ConnectionStrings__warehouse": str(warehouse)},
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    )

    reasons = {one["file"]: one["reason"] for one in json.loads(answer.stdout)["broken"]}
    assert "The file cannot be loaded: RuntimeError: ...." in reasons["tells_half.py"]
    assert reasons["tells.py"] == "The file cannot be loaded: RuntimeError: no ***"
    assert "no *** at redis://:***@db" in reasons["asks.sql"]
    assert "***" in reasons["tells_default.py"]
    assert [reason for reason in reasons.values() if "s3c" in reason] == []


def test_files_that_loop_do_not_add_up(tmp_path: Path) -> None:
    (tmp_path / "_helper.py").write_text('TITLE = "Visits"\n')
    (tmp_path / "visits.py").write_text(GOOD)
    for number in range(4):
        # One computes without end; that the others wait without end saves the processor.
        text = "import threading\nthreading.Event().wait()\n" if number else "while True:\n    pass\n"
        (tmp_path / f"loops_{number}.py").write_text(text)
    begin = time.monotonic()

    found = inspect_all(
        sorted(tmp_path.glob("[lv]*.py")), DataSettings(report_folders=(tmp_path,)), seconds=1
    )

    assert time.monotonic() - begin < 3.5
    assert ["type" in one for one in found] == [False] * 4 + [True]
    assert all("not loaded within 1 s" in one["reason"] for one in found[:4])


def test_a_good_definition_is_found_beside_broken_ones(found: Any) -> None:
    assert [(one["name"], one["title"], one["source"]) for one in found["types"]] == [
        ("visits", "Visits", "visits.py")
    ]
    assert len(found["types"][0]["version"]) == 12


@pytest.mark.parametrize("name", BAD)
def test_a_broken_definition_is_reported_with_file_and_reason(found: Any, name: str) -> None:
    (broken,) = [one for one in found["broken"] if one["file"] == name]

    assert any(part in broken["reason"] for part in BAD[name][1].split("|")), broken


@pytest.mark.parametrize(("name", "line"), [("syntax.py", 3), ("prints.py", 2), ("exits.py", 1)])
def test_the_line_of_the_fault_is_reported(found: Any, name: str, line: int) -> None:
    (broken,) = [one for one in found["broken"] if one["file"] == name]

    assert broken["line"] == line


@pytest.mark.parametrize("suffix", [".py", ".sql"])
def test_what_is_not_a_regular_file_is_neither_read_nor_waited_for(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"zero{suffix}").symlink_to("/dev/zero")
    (tmp_path / f"folder{suffix}").mkdir()

    found = inspect_all(sorted(tmp_path.iterdir()), DataSettings(report_folders=(tmp_path,)), seconds=1)

    assert [one["file"] for one in found] == [f"{name}{suffix}" for name in ("folder", "pipe", "zero")]
    assert all("not a regular file: only a regular file of 1 MiB" in one["reason"] for one in found), found


def test_a_link_to_a_regular_file_is_loaded(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "visits.py").symlink_to(folder / "visits.py")

    assert load("visits", DataSettings(report_folders=(folder, tmp_path))).type.title == "Visits"


def test_the_name_of_a_file_is_shown_in_one_line(tmp_path: Path) -> None:
    names = [b"a\nb.sql", b"c\xff\x1b[1m.py"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("")

    found = inspect_all(sorted(tmp_path.iterdir()), DataSettings(report_folders=(tmp_path,)))

    assert [str(Broken(**one)).partition(": ")[0] for one in found] == [r"a\nb.sql", r"c\udcff\x1b[1m.py"]


def test_a_type_is_loaded_by_its_name(folder: Path) -> None:
    settings = DataSettings(report_folders=(folder,))

    assert load("visits", settings).type.title == "Visits"
    assert load("sales", settings).version == "simulated"
    with pytest.raises(UnknownTypeError):
        load("forecast", settings)
    with pytest.raises(BrokenFileError):
        load("syntax", settings)


def test_the_catalog_follows_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports_worker.catalog.live_catalog.CHECK_SECONDS", 0.05)
    (tmp_path / "_helper.py").write_text('TITLE = "Visits"\n')
    (tmp_path / "visits.py").write_text(GOOD)
    catalog = LiveCatalog(DataSettings(report_folders=(tmp_path,)), {})
    assert [*catalog] == ["visits"]
    version = catalog["visits"].version

    (tmp_path / "visits.py").write_text(GOOD.replace("Who came", "Who was here"))
    (tmp_path / "more.py").write_text("TYPE = 1\n")
    wait_until(lambda: catalog["visits"].version != version, what="the new version")
    wait_until(lambda: [one.file for one in catalog.broken] == ["more.py"], what="the broken one")
    (tmp_path / "visits.py").unlink()
    wait_until(lambda: not len(catalog), what="the end of the type")
