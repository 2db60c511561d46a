"""The three types of the sample, with made-up figures; they serve where there is no warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reports_worker.report_types.report_type import ReportType

from . import inventory, sales, users

SIMULATED: Mapping[str, ReportType] = MappingProxyType(
    {report_type.name: report_type for report_type in (sales.TYPE, inventory.TYPE, users.TYPE)}
)
