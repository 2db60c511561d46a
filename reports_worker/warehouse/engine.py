"""The port of an engine: the operations that reports need of a database."""

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
    """The limits of one report in an engine.

    `scratch` is a folder of the report alone, and the only place where the engine may write.
    """

    time: timedelta
    memory: int
    scratch: Path
    batch: int = 10_000


class Session(Protocol):
    """A read-only connection, for one report. Errors are WarehouseErrors.

    `cancel` may be called from another thread at any time, and returns within a second; the other methods may not.
    """

    @property
    def as_of(self) -> datetime:
        """The time of the data: later changes may not be visible in this session."""

    def execute(self, sql: str, values: Mapping[str, Any]) -> Rows:
        """Run one statement in the engine's own dialect; `:name` stands for a bound value."""

    def schema(self) -> Mapping[str, Sequence[Column]]:
        """Return the readable tables with their columns."""

    def cancel(self) -> None:
        """Cancel the running queries."""

    def close(self) -> None: ...


class Engine(Protocol):
    """A database that reports can read. `dialect` is its name for sqlglot."""

    dialect: str

    def connect(self, bounds: Bounds) -> Session:
        """Open a session; raises WarehouseUnavailableError, WarehouseBusyError."""


@runtime_checkable
class ReportsProgress(Protocol):
    """A session that knows the progress of its query. May be called from another thread, and is cheap."""

    def progress(self) -> float | None:
        """Return the progress of the running query, from 0 to 1; None while it is not known."""


def check_names(columns: Sequence[Column]) -> None:
    """Refuse two columns with the same name, which no file can hold; raise WarehouseError."""
    names = [column.name.casefold() for column in columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise WarehouseError(f"The query has two columns named {twice!r}: name each column with AS.")
