"""Version N+1, made from the product as it is."""

from __future__ import annotations

from pathlib import Path

from faults.next_version import FIGURE, make_next_version
from harness.processes import ROOT


def test_the_next_version_has_another_figure_and_other_scripts(tmp_path: Path) -> None:
    made = make_next_version(tmp_path / "next")

    simulation = Path("reports_worker", "simulated", "simulation.py")
    assert FIGURE in (made / simulation).read_text()
    assert FIGURE not in (ROOT / simulation).read_text()
    script = Path("reports_worker", "queue", "lua", "publish.lua")
    assert (made / script).read_text() != (ROOT / script).read_text()
