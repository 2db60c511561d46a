"""The rows of the page, and the files in which they are kept between runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from faults.fault import OVERLAP_SECONDS
from faults.judging.results import Result

RESULTS = Path(__file__).parents[1] / "results"
FAULTS_FILE = RESULTS / "faults.json"
SOAK_FILE = RESULTS / "soak.json"


@dataclass(frozen=True)
class Row:
    """What a fault came to over all its scenarios, of which commit and when.

    `recovery_seconds` is None where work never went on.
    """

    name: str
    title: str
    steps: str
    accepted: int
    lost: int
    published_twice: int
    overlap_seconds: float
    recovery_seconds: float | None
    recovery_limit: float
    unplayed: int
    complaints: Sequence[str]
    commit: str
    date: str

    @property
    def is_kept(self) -> bool:
        """Tell whether every promise was kept."""
        recovered = self.recovery_seconds is not None and self.recovery_seconds <= self.recovery_limit
        spoiled = self.lost or self.published_twice or self.unplayed or self.complaints or not self.accepted
        return not spoiled and recovered and self.overlap_seconds <= OVERLAP_SECONDS


def make_row(
    results: Sequence[Result],
    *,
    name: str,
    title: str,
    steps: str,
    recovery_limit: float,
    unplayed: int,
    commit: str,
    date: str,
) -> Row:
    """Put the results of one fault at several steps together: sums, and the worst."""
    recovery = max((result.recovery_seconds for result in results), default=math.inf)
    return Row(
        name=name,
        title=title,
        steps=steps,
        accepted=sum(result.accepted for result in results),
        lost=sum(result.lost for result in results),
        published_twice=sum(result.published_twice for result in results),
        overlap_seconds=max((result.overlap_seconds for result in results), default=0.0),
        recovery_seconds=None if math.isinf(recovery) else recovery,
        recovery_limit=recovery_limit,
        unplayed=unplayed,
        complaints=[complaint for result in results for complaint in result.complaints],
        commit=commit,
        date=date,
    )


def read_rows(path: Path) -> Mapping[str, Row]:
    """Read what earlier runs have left, by name; nothing where none has."""
    if not path.exists():
        return {}
    found = (Row(**values) for values in json.loads(path.read_text(encoding="utf-8")))
    return {row.name: row for row in found}


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(exist_ok=True)
    text = json.dumps([asdict(row) for row in rows], indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def merge_rows(old: Mapping[str, Row], new: Iterable[Row], *, order: Iterable[str]) -> list[Row]:
    """Put new rows in the places of old ones; what is not in `order` any more goes."""
    rows = {**old, **{row.name: row for row in new}}
    return [rows[name] for name in order if name in rows]
