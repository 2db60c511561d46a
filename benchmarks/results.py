"""What the last runs have left, a file for each measurement, so that one can be renewed alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .rows import BARS, Row
from .void import Check

FOLDER = Path(__file__).parent / "results"
_CHECKS = "checks"


@dataclass(frozen=True)
class Result:
    """The rows of one measurement, and under which circumstances they were measured."""

    measure: str
    rows: Sequence[Row]
    commit: str
    date: str
    circumstances: Sequence[tuple[str, str]]


def write_result(result: Result, folder: Path = FOLDER) -> None:
    _write(
        folder / f"{result.measure}.json", asdict(result) | {"rows": [_from_row(row) for row in result.rows]}
    )


def read_result(measure: str, folder: Path = FOLDER) -> Result | None:
    """Read the last one; None if it was never measured."""
    found = _read(folder / f"{measure}.json")
    if found is None:
        return None
    rows = [_to_row(row) for row in found.pop("rows")]
    pairs = [(name, value) for name, value in found.pop("circumstances")]
    return Result(rows=rows, circumstances=pairs, **found)


def write_checks(checks: Sequence[Check], folder: Path = FOLDER) -> None:
    _write(folder / f"{_CHECKS}.json", [asdict(check) for check in checks])


def read_checks(folder: Path = FOLDER) -> Sequence[Check]:
    return [Check(**check) for check in _read(folder / f"{_CHECKS}.json") or ()]


def _from_row(row: Row) -> dict[str, Any]:
    bar = row.bar and {"kind": type(row.bar).__name__, "value": next(iter(asdict(row.bar).values()))}
    return asdict(row) | {"bar": bar}


def _to_row(data: dict[str, Any]) -> Row:
    bar = data.pop("bar")
    return Row(**data, bar=BARS[bar["kind"]](bar["value"]) if bar else None)


def _write(path: Path, data: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
