"""What an engine is: the little that reports need of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from reports_worker.contents import Column, Rows


@dataclass(frozen=True)
class Bounds:
    """What one report may take of an engine.

    `scratch` is a folder of the report's own, the one place where the engine may write.
    """

    time: timedelta
    memory: int
    scratch: Path
    batch: int = 10_000


class Session(Protocol):
    """A read-only connection, for one report. Errors are WarehouseErrors.

    `cancel` may be called from another thread, at any time, and returns at once; the others may not.
    """

    @property
    def as_of(self) -> datetime:
        """Since when the data may have changed without being seen here."""

    def execute(self, sql: str, values: Mapping[str, Any]) -> Rows:
        """Run one statement of the engine's own dialect; `:name` in it stands for a bound value."""

    def schema(self) -> Mapping[str, Sequence[Column]]:
        """Tell the tables that can be read, with their columns."""

    def cancel(self) -> None:
        """End what runs now."""

    def close(self) -> None: ...


class Engine(Protocol):
    """A database that reports can read. `dialect` is its name for sqlglot."""

    dialect: str

    def connect(self, bounds: Bounds) -> Session:
        """Open a session; raises WarehouseUnavailableError, WarehouseBusyError."""
