"""The report types that can be asked for, as data: whoever asks needs no code that makes them."""

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
# The same as data: what is needed to ask for one.
TYPES: Mapping[str, TypeDescription] = MappingProxyType(
    {name: one.describe() for name, one in CATALOG.items()}
)


def find_types(settings: DataSettings) -> Mapping[str, TypeDescription]:
    """Tell what can be asked for, by name. API, Python and command line ask nowhere else.

    The mapping follows the files that it is made of.
    """
    if settings.warehouse is None and not settings.report_folders:
        return TYPES
    return _watch(settings)


@lru_cache(maxsize=8)
def _watch(settings: DataSettings) -> LiveCatalog:
    return LiveCatalog(settings, {} if settings.warehouse else TYPES)
