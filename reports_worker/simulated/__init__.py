"""The three types of the sample, with simulated figures, for use without a warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reports_worker.lib.units import SecondsRange
from reports_worker.report_types.report_type import ReportType

from . import inventory, sales, users


def make_types(allowed: SecondsRange) -> Mapping[str, ReportType]:
    """Make the types, by name; their reports take a time from the `allowed` range."""
    types = (module.make_type(allowed) for module in (sales, inventory, users))
    return MappingProxyType({one.name: one for one in types})


# As descriptions: how long a report takes is a setting, which the process that makes it reads.
SIMULATED = make_types(SecondsRange(0, 0))
