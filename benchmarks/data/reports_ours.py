"""Makes one built-in report over a warehouse, as far as its figures and tables: the phase of its queries.

Arguments: the warehouse, the type, a folder for what is spilled, and a file into which the statements go as they
were sent, with their values.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from reports_worker.authoring import Contents, DateRange, ReportContext
from reports_worker.builtin import inventory, sales, users
from reports_worker.content.rows import Column, Rows
from reports_worker.settings.core import Settings
from reports_worker.settings.data import DataSettings
from reports_worker.warehouse.engine import Bounds, Session
from reports_worker.warehouse.open import open_warehouse
from reports_worker.warehouse.warehouse import Warehouse

from .telling import tell

# REPORTS_MEMORY, as it is unless somebody sets it.
MEMORY = Settings().memory
_PERIOD = DateRange(date(2026, 1, 1), date(2026, 6, 30))
_CHOSEN: Mapping[str, Mapping[str, Any]] = {
    "sales": {"period": _PERIOD, "granularity": "month", "region": None, "top": 20},
    "inventory": {"as_of": _PERIOD.last, "warehouse": None, "threshold": 14},
    "users": {"period": _PERIOD, "granularity": "month"},
}
_TYPES = {"sales": sales.TYPE, "inventory": inventory.TYPE, "users": users.TYPE}


@dataclass
class Listening:
    """A session that remembers what it was asked."""

    session: Session
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def as_of(self) -> datetime:
        return self.session.as_of

    def execute(self, sql: str, values: Mapping[str, Any]) -> Rows:
        self.asked.append((sql, values))
        return self.session.execute(sql, values)

    def schema(self) -> Mapping[str, Sequence[Column]]:
        return self.session.schema()

    def cancel(self) -> None:
        self.session.cancel()

    def close(self) -> None:
        self.session.close()


def main(address: str, name: str, scratch: str, statements: str) -> None:
    data = DataSettings(warehouse=address)
    bounds = Bounds(timedelta(minutes=10), MEMORY, Path(scratch))
    # The engine and its packages are loaded while a job process waits.
    opened = open_warehouse(data.warehouse, bounds)
    session = Listening(opened.session)
    warehouse = Warehouse(session, opened.dialect)
    context = ReportContext(
        "benchmark", "", {}, lambda *_: None, data.timezone, _CHOSEN[name], lambda: warehouse
    )
    begin = time.monotonic()
    contents = cast("Contents", _TYPES[name].make(context))
    rows = sum(len(batch) for table in contents.tables for batch in table.rows.batches())
    seconds = time.monotonic() - begin
    warehouse.close()
    Path(statements).write_bytes(pickle.dumps(session.asked))
    figures = {key: value for key, value in contents.summary.items() if key != "processing_time"}
    tell(seconds, {"rows": rows, **figures})


if __name__ == "__main__":
    main(*sys.argv[1:])
