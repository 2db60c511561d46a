"""What a type of report is, and what it is given to make one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reports_worker.content.report import Contents
from reports_worker.domain.file_formats import check_formats
from reports_worker.parameters import Parameter, check_definitions
from reports_worker.settings.core import Settings

if TYPE_CHECKING:
    from reports_worker.warehouse.warehouse import Warehouse


class ReportProgress(Protocol):
    """Tells how far a report is; cheap enough to be called often."""

    def __call__(self, percent: int, stage: str) -> None: ...


@dataclass(frozen=True)
class Assignment:
    """One report to be made: what was asked for, and what the making may use.

    `parameters` are as they were asked for, ready for JSON; `values` the same as Python has them: dates are
    dates, a period a DateRange, several choices a tuple, and what was left out has its default.
    """

    task_id: str
    title: str
    parameters: Mapping[str, Any]
    settings: Settings
    progress: ReportProgress
    values: Mapping[str, Any] = field(default_factory=dict)
    open_warehouse: Callable[[], Warehouse] | None = None

    @property
    def warehouse(self) -> Warehouse:
        """The database to be read, opened when it is first asked for."""
        if self.open_warehouse is None:
            raise LookupError("There is no warehouse: set ConnectionStrings__warehouse for the workers.")
        return self.open_warehouse()


Made = Contents | Mapping[str, Any]


@dataclass(frozen=True)
class ReportType:
    """Something that can be asked for.

    `make` returns Contents; figures alone, ready for JSON, will do. `formats` are the files that it leaves
    where nobody asks for others; None for all. Raises DefinitionError.
    """

    name: str
    title: str
    description: str
    make: Callable[[Assignment], Made]
    parameters: Sequence[Parameter] = ()
    formats: Sequence[str] | None = None

    def __post_init__(self) -> None:
        check_definitions(self.parameters)
        check_formats(self.formats)
