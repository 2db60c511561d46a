"""Load by wrk, with a script of ours that makes the requests and prints what was measured."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.client import SUBMISSION as WANTED
from harness.errors import MissingToolError

from .errors import BenchmarkError

_SCRIPT = Path(__file__).parent / "load.lua"
_TIMEOUT_SECONDS = 10
SUBMISSION = json.dumps(WANTED)


@dataclass(frozen=True)
class Load:
    """What a server did under load."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float


def find_wrk() -> str:
    """Find wrk; raise MissingToolError where there is none."""
    found = shutil.which("wrk")
    if found is None:
        raise MissingToolError("wrk is needed to make load, and is not on PATH: apt-get install wrk")
    return found


def read_wrk_version() -> str:
    answer = subprocess.run([find_wrk(), "-v"], capture_output=True, text=True, check=False)
    return parse_wrk_version(answer.stdout)


def parse_wrk_version(text: str) -> str:
    """Read the version from `wrk debian/4.1.0-3+b2 [epoll] Copyright ...`."""
    return text.split()[1].removeprefix("debian/") if text.startswith("wrk ") else "unknown"


def drive(
    url: str, paths: Sequence[str], *, folder: Path, connections: int, seconds: int, body: str = ""
) -> Load:
    """Ask for `paths` in turn over so many connections; POST `body` if there is one."""
    list_of_paths = folder / "paths"
    list_of_paths.write_text("\n".join(paths) + "\n", encoding="ascii")
    options = ["-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", f"{_TIMEOUT_SECONDS}s"]
    command = [find_wrk(), *options, "-s", str(_SCRIPT), url, "--", str(list_of_paths), body]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise BenchmarkError(f"wrk failed: {answer.stdout}{answer.stderr}")
    return parse_load(answer.stdout)


def parse_load(text: str) -> Load:
    """Read the line that our script prints; a request that was refused or broken spoils the measurement."""
    lines = [line for line in text.splitlines() if line.startswith("{")]
    if not lines:
        raise BenchmarkError(f"wrk printed no result: {text}")
    found = json.loads(lines[-1])
    if not found["requests"] or found["refused"] or found["broken"]:
        raise BenchmarkError(
            f"Of {found['requests']} requests {found['refused']} were refused and {found['broken']} broken."
        )
    return Load(
        requests_per_second=found["requests"] / (found["duration_us"] / 1e6),
        p50_ms=found["p50_us"] / 1000,
        p99_ms=found["p99_us"] / 1000,
    )
