"""Types of report that cannot be made, each for a reason of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.integration.sample_types import write_python, write_sql

MOST_ROWS = 5000
# Its one table is `found`.
_RETURN = 'return Contents({}, tables=[Table("found", "Found", rows)])'


@dataclass(frozen=True)
class Failing:
    """What is written, and what becomes of a report of it: the reason, and a part of the sentence.

    `{folder}` in it is a folder next to the warehouse.
    """

    source: str
    reason: str
    sentence: str


SQL: Mapping[str, Failing] = {
    "no_table": Failing("SELECT * FROM ordrs", "error", "has no table 'ordrs': its tables are orders, "),
    "no_column": Failing("SELECT totl FROM orders", "error", 'Referenced column "totl" not found'),
    "too_many_rows": Failing(
        "SELECT range AS n FROM range(5001)",
        "too_large",
        "more than the 5,000 rows that the limit allows (REPORTS_MAX_ROWS): 5,001 had been read when it ended, in "
        "table 'found'. Request a smaller report, or have the limit raised.",
    ),
    "too_much_memory": Failing(
        "SELECT list(a.range + b.range) AS n FROM range(100000) a, range(100000) b",
        "memory",
        "needs more memory than a report may take",
    ),
    "writes": Failing("COPY orders TO '{folder}/stolen'", "error", "must be one SELECT, not COPY"),
    "reads": Failing("SELECT * FROM '{folder}/secret.csv'", "error", "The query reads outside the warehouse"),
}
PYTHON: Mapping[str, Failing] = {
    "takes_memory": Failing(
        "taken = []\nwhile True:\n    taken.append(b'x' * 20_000_000)\n    time.sleep(0.005)",
        "memory",
        "are allowed (REPORTS_MEMORY). Request a smaller report",
    ),
    "fractions": Failing(
        f'rows = GivenRows([NUMBER], [(1,), (Decimal("1.5"),)])\n{_RETURN}',
        "error",
        "A row of table 'found' does not fit its columns: 'number' holds whole numbers, and 1.5 is none.",
    ),
    "raises_amid_rows": Failing(
        f"def give():\n    yield (1,)\n    raise ValueError('no more')\nrows = GivenRows([NUMBER], give())\n{_RETURN}",
        "error",
        "The report failed: ValueError: no more",
    ),
}
ALL = {**SQL, **PYTHON}
# One of each way in which a report fails; the others are refused alike, or by tests of a unit or of a worker.
NARROW = ("too_many_rows", "reads")


def write_failing_types(types: Path) -> None:
    """Write them all into a folder that lies next to the warehouse."""
    for name, failing in SQL.items():
        write_sql(types, name, failing.source.replace("{folder}", str(types.parent)))
    for name, failing in PYTHON.items():
        write_python(types, name, failing.source)
