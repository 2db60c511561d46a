"""One run: all measurements, and everything that a reader needs to judge them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measures.layers import find_py_spy
from harness.broker import run_broker

from .bench import Bench, Extent
from .environments import BROKER_OPTIONS, prepare_peer, read_versions
from .load import find_wrk, read_wrk_version
from .machine import Machine, describe_machine
from .measures import BY_NAME, WITHOUT_PEER, check_peer
from .rows import Row
from .targets import Ours, Peer
from .void import Check

_OUR_PACKAGES = ("flask", "gunicorn", "rq", "redis", "hiredis", "duckdb", "psycopg", "typst", "xlsxwriter")
_PEER_PACKAGES = ("fastapi", "uvicorn", "uvloop", "celery", "kombu", "redis", "pandas", "pyarrow")


@dataclass(frozen=True)
class Run:
    """What was measured, on what, and whether it counts."""

    machine: Machine
    extent: Extent
    rows: Mapping[str, Sequence[Row]]
    checks: Sequence[Check]
    versions: Mapping[str, Mapping[str, str]]

    @property
    def is_void(self) -> bool:
        return any(check.is_void for check in self.checks)


def run_all(extent: Extent, tell: Callable[[str], None], *, only: str | None = None) -> Run:
    """Measure everything, or one thing.

    Raises MissingToolError before anything starts, where wrk or py-spy is missing.
    """
    find_wrk()
    if only in (None, "layers"):
        find_py_spy()
    machine = describe_machine()
    python = prepare_peer(tell)
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
        run_broker(Path(folder), *BROKER_OPTIONS) as broker,
    ):
        bench = Bench(broker, Ours(), Peer(python), Path(folder), extent, tell)
        tools = {"broker": broker.read_version(), "wrk": read_wrk_version()}
        needs_check = not (only and (extent.is_quick or only in WITHOUT_PEER))
        checks = list(check_peer(bench)) if needs_check else []
        rows = {name: list(BY_NAME[name](bench)) for name in ([only] if only else BY_NAME)}
    versions = {
        "ours": _choose(read_versions(sys.executable), _OUR_PACKAGES),
        "peer": _choose(read_versions(python), _PEER_PACKAGES),
        "tools": tools,
    }
    return Run(machine, extent, rows, checks, versions)


def _choose(versions: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: versions.get(name, "none") for name in names}
