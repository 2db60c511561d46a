"""The public names for the author of a report type: `from reports_worker.authoring import ...`."""

from __future__ import annotations

from reports_worker.content.chart_specs import chart_spec
from reports_worker.content.report import Chart, Contents, Table
from reports_worker.content.rows import Column, GivenRows, Kind, Row
from reports_worker.report_types.local_time import (
    GRANULARITIES,
    LocalTime,
    add_months,
    begins,
    previous_period,
)
from reports_worker.report_types.report_type import ReportContext, ReportType
from reports_worker.warehouse.warehouse import Query, Warehouse

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
    "ReportContext",
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

# The name until version 0.2.
Assignment = ReportContext
