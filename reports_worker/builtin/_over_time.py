"""The parameters that reports over time share: the period, and the length of its parts."""

from __future__ import annotations

from datetime import date

from reports_worker.authoring import GRANULARITIES, Choice, Parameter, Period

LAST_DAY = date(2199, 12, 31)
MOST_DAYS = 3660


def over_time(*, granularity: str, first_day: date, days: str, parts: str) -> tuple[Parameter, ...]:
    """Make both parameters; `days` and `parts` are their help, `granularity` and `first_day` the type's own."""
    return (
        Period(
            name="period", default="last_quarter", min=first_day, max=LAST_DAY, max_days=MOST_DAYS, help=days
        ),
        Choice(name="granularity", options=GRANULARITIES, default=granularity, help=parts),
    )
