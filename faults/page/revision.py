"""Which commit a run was made of."""

from __future__ import annotations

import shutil
import subprocess

from harness.processes import ROOT

_PRODUCT = ("apphost", "reports_app", "reports_worker", "harness", "faults", ":!faults/results")


def read_commit() -> str:
    """The commit, and whether what ran differs from it."""
    if shutil.which("git") is None:
        return "unknown"
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    if commit.returncode != 0:
        return "unknown"
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", *_PRODUCT], capture_output=True, text=True, check=False
    )
    return commit.stdout.strip() + (" with changes" if changed.stdout.strip() else "")
