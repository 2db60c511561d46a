"""The report types there are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .report_types import ReportType
from .simulated import inventory, sales, users

CATALOG: Mapping[str, ReportType] = MappingProxyType(
    {report_type.name: report_type for report_type in (sales.TYPE, inventory.TYPE, users.TYPE)}
)
