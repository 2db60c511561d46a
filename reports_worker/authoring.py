"""All that a type of report is written with: `from reports_worker.authoring import ...`."""

from __future__ import annotations

from .contents import Chart, Column, Contents, GivenRows, Kind, Table
from .parameters import DateRange, Parameter
from .report_types import Assignment, ReportType
from .warehouse.warehouse import Query, Warehouse

__all__ = [
    "Assignment",
    "Chart",
    "Column",
    "Contents",
    "DateRange",
    "GivenRows",
    "Kind",
    "Parameter",
    "Query",
    "ReportType",
    "Table",
    "Warehouse",
]
