"""What the figures depend on: machine, commit, time."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from .environments import ROOT


@dataclass(frozen=True)
class Machine:
    """Where and when a run took place."""

    processor: str
    cores: int
    memory_gb: float
    kernel: str
    python: str
    load_before: float
    commit: str
    date: str


def describe_machine() -> Machine:
    return Machine(
        processor=_read_processor(),
        cores=os.cpu_count() or 0,
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load_before=round(os.getloadavg()[0], 1),
        commit=_read_commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _read_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _read_commit() -> str:
    """The commit, and whether what was measured differs from it."""
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    if commit.returncode != 0:
        return "unknown"
    changed = subprocess.run(
        [
            *git,
            "status",
            "--porcelain",
            "reports_app",
            "reports_worker",
            "benchmarks",
            ":!benchmarks/results",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return commit.stdout.strip() + (" with changes" if changed.stdout.strip() else "")
