"""The calendar from which presets such as "last quarter" are resolved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo


@dataclass(frozen=True)
class Calendar:
    """The current day, and the number of the month in which the fiscal year begins."""

    today: date
    fiscal_year_start: int = 1

    @classmethod
    def at(cls, now: datetime, *, timezone: tzinfo, fiscal_year_start: int) -> Calendar:
        """Make the calendar of the day that `now` is in a time zone."""
        return cls(now.astimezone(timezone).date(), fiscal_year_start)


# For checks that do not depend on the day.
EXAMPLE = Calendar(date(2026, 7, 1))
