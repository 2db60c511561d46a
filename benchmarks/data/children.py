"""Runs one of these programs and reads what it measured of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT
from benchmarks.errors import BenchmarkError

_LONGEST_SECONDS = 900


@dataclass(frozen=True)
class Measured:
    """Seconds of what was to be done, the most memory (RSS) its process had, and what came of it."""

    seconds: float
    megabytes: float
    found: Any = None


def run_child(*command: str | Path, python: str | Path = sys.executable) -> Measured:
    """Run a program that ends with one line of JSON; raise BenchmarkError if it fails."""
    try:
        ended = subprocess.run(
            [python, *command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"{command} did not end within {_LONGEST_SECONDS} s.") from error
    if ended.returncode:
        raise BenchmarkError(f"{command} failed: {ended.stderr[-1000:]}")
    return Measured(**json.loads(ended.stdout.splitlines()[-1]))
