"""Report types, and the context that a type gets to make a report."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from reports_worker.content.report import Contents
from reports_worker.domain.file_formats import check_formats
from reports_worker.domain.type_description import TypeDescription
from reports_worker.parameters import Parameter, check_definitions

if TYPE_CHECKING:
    from reports_worker.warehouse.warehouse import Warehouse


_UTC = ZoneInfo("UTC")


class ReportProgress(Protocol):
    """Reports the progress of a report; cheap enough for frequent calls."""

    def __call__(self, percent: int, stage: str) -> None: ...


@dataclass(frozen=True)
class ReportContext:
    """The context of one report for its type: the request, and the resources that the type may use.

    `parameters` are the requested parameters in JSON form; `values` are the same as Python values: dates are dates, a
    period is a DateRange, several choices are a tuple, and a parameter that was left out has its default.
    """

    task_id: str
    title: str
    parameters: Mapping[str, Any]
    progress: ReportProgress
    timezone: ZoneInfo = _UTC
    values: Mapping[str, Any] = field(default_factory=dict)
    open_warehouse: Callable[[], Warehouse] | None = None

    @property
    def settings(self) -> SimpleNamespace:
        """The settings that types of version 0.1 read: the time zone alone."""
        warnings.warn(
            "context.settings is removed in version 0.3: use context.timezone", DeprecationWarning, 2
        )
        return SimpleNamespace(data=SimpleNamespace(timezone=self.timezone))

    @property
    def warehouse(self) -> Warehouse:
        """The database of the report, opened at the first access."""
        if self.open_warehouse is None:
            raise LookupError("There is no warehouse: set ConnectionStrings__warehouse for the workers.")
        return self.open_warehouse()


ReportOutput = Contents | Mapping[str, Any]


@dataclass(frozen=True)
class ReportType:
    """A type of report that can be requested.

    `make` returns Contents, or figures alone, ready for JSON. `formats` are the file formats where a request names
    none; None for all formats. Raises DefinitionError.
    """

    name: str
    title: str
    description: str
    make: Callable[[ReportContext], ReportOutput]
    parameters: Sequence[Parameter] = ()
    formats: Sequence[str] | None = None

    def __post_init__(self) -> None:
        check_definitions(self.parameters)
        check_formats(self.formats)

    def describe(self, *, version: str | None = None, source: str | None = None) -> TypeDescription:
        """Describe the type without its code: what a client needs to request a report."""
        return TypeDescription(
            name=self.name,
            title=self.title,
            description=self.description,
            parameters=tuple(self.parameters),
            formats=None if self.formats is None else tuple(self.formats),
            version=version,
            source=source,
        )
