"""The report types there are."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from .data_settings import DataSettings
from .report_types import ReportType
from .simulated import inventory, sales, users
from .type_descriptions import TypeDescription, describe_types

CATALOG: Mapping[str, ReportType] = MappingProxyType(
    {report_type.name: report_type for report_type in (sales.TYPE, inventory.TYPE, users.TYPE)}
)
# The same as data: what is needed to ask for one.
TYPES: Mapping[str, TypeDescription] = MappingProxyType({**describe_types(CATALOG.values())})


def find_types(settings: DataSettings) -> Mapping[str, TypeDescription]:
    """Tell what can be asked for, by name. API, Python and command line ask nowhere else."""
    if settings.warehouse is None:
        return TYPES
    return describe_types(found for name in CATALOG if (found := load_type(name)))


def load_type(name: str) -> ReportType | None:
    """Load a type that reads the warehouse; None if there is none of this name."""
    if name not in CATALOG:
        return None
    loaded: ReportType = import_module(f"{__package__}.builtin.{name}").TYPE
    return loaded
