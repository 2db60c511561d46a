"""What an engine is: the little that reports need of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from reports_worker.content.rows import Column, Rows

from .errors import WarehouseError


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

    `cancel` may be called from another thread, at any time, and returns within a second; the others may not.
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


@runtime_checkable
class TellsProgress(Protocol):
    """A session that knows how far its query is. May be called from another thread, and is cheap."""

    def progress(self) -> float | None:
        """Tell how much of what runs is done, from 0 to 1; None while nobody knows."""


def check_names(columns: Sequence[Column]) -> None:
    """Refuse two columns of one name, which no file could hold; raise WarehouseError."""
    names = [column.name.casefold() for column in columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise WarehouseError(f"The query has two columns called {twice!r}: name each with AS.")
