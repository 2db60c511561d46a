"""All that a type of report is written with: `from reports_worker.authoring import ...`."""

from __future__ import annotations

from .chart_specs import chart_spec
from .contents import Chart, Column, Contents, GivenRows, Kind, Row, Table
from .local_time import GRANULARITIES, LocalTime, add_months, begins, previous_period
from .parameters import (
    Boolean,
    Choice,
    Choices,
    Date,
    DateRange,
    Integer,
    Number,
    Option,
    Parameter,
    Period,
    Text,
)
from .report_types import Assignment, ReportType
from .warehouse.warehouse import Query, Warehouse

__all__ = [
    "GRANULARITIES",
    "Assignment",
    "Boolean",
    "Chart",
    "Choice",
    "Choices",
    "Column",
    "Contents",
    "Date",
    "DateRange",
    "GivenRows",
    "Integer",
    "Kind",
    "LocalTime",
    "Number",
    "Option",
    "Parameter",
    "Period",
    "Query",
    "ReportType",
    "Row",
    "Table",
    "Text",
    "Warehouse",
    "add_months",
    "begins",
    "chart_spec",
    "previous_period",
]
