"""What words such as "last quarter" are worked out from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo


@dataclass(frozen=True)
class Calendar:
    """The day it is, and the number of the month in which the fiscal year begins."""

    today: date
    fiscal_year_start: int = 1

    @classmethod
    def at(cls, now: datetime, *, timezone: tzinfo, fiscal_year_start: int) -> Calendar:
        """Tell the day that `now` is in a time zone."""
        return cls(now.astimezone(timezone).date(), fiscal_year_start)


# For checks that every day would do for.
EXAMPLE = Calendar(date(2026, 7, 1))
