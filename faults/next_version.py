"""Version N+1 of the product: a copy with one more figure in each report, and changed scripts."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.processes import ROOT

from .errors import FaultsError

FIGURE = "edition"
_PARTS = ("reports_app", "reports_worker", "templates", "static", "faults", "harness", "apphost")
_FIGURE_PLACE = '"processing_time": round(seconds)'
_SCRIPTS = ("start", "publish", "submit", "sweep", "shared")


def make_next_version(folder: Path) -> Path:
    """Copy the product and change it; raise FaultsError where the place to change is gone."""
    for part in _PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    simulation = folder / "reports_worker" / "simulated" / "simulation.py"
    text = simulation.read_text(encoding="utf-8")
    if text.count(_FIGURE_PLACE) != 1:
        raise FaultsError(
            f"{simulation.name} has changed: say in faults/next_version.py where to add a figure."
        )
    changed = text.replace(_FIGURE_PLACE, f'{_FIGURE_PLACE}, "{FIGURE}": 2')
    simulation.write_text(changed, encoding="utf-8")
    for name in _SCRIPTS:
        script = folder / "reports_worker" / "queue" / "lua" / f"{name}.lua"
        script.write_text(script.read_text(encoding="utf-8") + "\n-- version N+1\n", encoding="utf-8")
    return folder
