"""What a type of report is, and what it is given to make one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .settings import Settings


class ReportProgress(Protocol):
    """Tells how far a report is; cheap enough to be called often."""

    def __call__(self, percent: int, stage: str) -> None: ...


@dataclass(frozen=True)
class Assignment:
    """One report to be made: what was asked for, and what the making may use."""

    task_id: str
    title: str
    parameters: Mapping[str, Any]
    settings: Settings
    progress: ReportProgress


@dataclass(frozen=True)
class ReportType:
    """Something that can be asked for. `make` returns the figures, ready for JSON."""

    name: str
    title: str
    description: str
    make: Callable[[Assignment], Mapping[str, Any]]
