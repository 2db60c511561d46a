"""The memory of programs."""

from __future__ import annotations

from harness.processes import find_family


def measure_programs(*pids: int) -> float:
    """Measure the memory of programs with all that they started: MB, shared pages by their share (PSS)."""
    family = [process for pid in pids for process in find_family(pid)]
    return float(sum(process.memory_full_info().pss for process in family)) / 1e6
