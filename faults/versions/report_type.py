"""A user's type of report that each version understands: a report fails, is held or leaves files, by its title."""

from __future__ import annotations

from pathlib import Path

NAME = "versioned"
FAILS, HELD = "fails", "held"
_GATE = "gate"
_TEXT = f'''
import time
from pathlib import Path

from reports_worker.authoring import Column, Contents, GivenRows, Integer, Kind, ReportType, Table

GATE = Path(__file__).parents[1] / "{_GATE}"


def make(context):
    if context.title.startswith("{FAILS}"):
        raise ValueError("its title says so")
    while context.title.startswith("{HELD}") and not GATE.exists():
        context.progress(50, "held")
        time.sleep(0.05)
    numbers = range(context.values["rows"])
    rows = GivenRows((Column("number", Kind.INTEGER),), ((number,) for number in numbers))
    return Contents({{"total": sum(numbers)}}, tables=[Table("numbers", "Numbers", rows)])


TYPE = ReportType("{NAME}", "Versioned", "", make, [Integer(name="rows", title="Rows", default=20)], ("csv", "json"))
'''


def write_type(folder: Path) -> Path:
    """Write the type into a folder for REPORTS_PATH, and return that folder."""
    path = folder / "types"
    path.mkdir()
    (path / f"{NAME}.py").write_text(_TEXT, encoding="utf-8")
    return path


def open_gate(folder: Path) -> None:
    """Let the held reports of this folder go on."""
    (folder / _GATE).touch()
