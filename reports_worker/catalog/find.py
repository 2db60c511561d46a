"""The report types that can be requested, as data: a client needs no code of a type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from reports_worker.domain.type_description import TypeDescription
from reports_worker.report_types.report_type import ReportType
from reports_worker.settings.data import DataSettings
from reports_worker.simulated import SIMULATED

from .live_catalog import LiveCatalog

CATALOG: Mapping[str, ReportType] = SIMULATED
# The simulated types as data, which is all that a client needs.
TYPES: Mapping[str, TypeDescription] = MappingProxyType(
    {name: one.describe() for name, one in CATALOG.items()}
)


def find_types(settings: DataSettings) -> Mapping[str, TypeDescription]:
    """Return the types that can be requested, by name: for the API, the Python client and the command line.

    The mapping is updated when the files of the definitions change.
    """
    if settings.warehouse is None and not settings.report_folders:
        return TYPES
    return _watch(settings)


@lru_cache(maxsize=8)
def _watch(settings: DataSettings) -> LiveCatalog:
    return LiveCatalog(settings, {} if settings.warehouse else TYPES)
