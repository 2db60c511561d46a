"""Types of report that tests write into a folder of REPORTS_PATH."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

_PYTHON = """\
import time
from decimal import Decimal
from pathlib import Path

from reports_worker.authoring import *

HERE = Path(__file__).parent
NUMBER = Column("number", Kind.INTEGER)


def make(assignment):
{body}

TYPE = ReportType({name!r}, {name!r}, "", make)
"""


def write_python(folder: Path, name: str, body: str) -> None:
    """Write a type whose `make(assignment)` has this body; HERE is its folder, NUMBER a column."""
    text = _PYTHON.format(name=name, body=indent(dedent(body).strip(), "    ") + "\n")
    _write(folder / f"{name}.py", text)


def write_sql(folder: Path, name: str, query: str, *, header: str = "") -> None:
    """Write a type with one table, of this query."""
    _write(folder / f"{name}.sql", f'-- title = "{name}"\n{header}\n-- table: found\n{query}\n')


def _write(path: Path, text: str) -> None:
    """Write a file at once: a catalog that reads half of it would report a broken type."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
