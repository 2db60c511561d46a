"""The files of this project's own folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def find_files(folder: str, *suffixes: str) -> Sequence[Path]:
    """Find the files below a folder; without hidden folders, in which benchmarks keep environments and data."""
    return sorted(
        path
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes
        and not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts)
    )
