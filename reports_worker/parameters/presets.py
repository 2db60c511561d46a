"""Presets: named periods, such as last quarter, and their days on a given day.

Weeks begin on Monday. "Last 7 days" are the seven full days before today. "This" and "last" periods are full periods,
also where the period is not over yet; "to date" periods end today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from .calendar import Calendar
from .values import DateRange


@dataclass(frozen=True)
class Preset:
    """A named period that depends on the current day."""

    title: str
    resolve: Callable[[Calendar], DateRange]


def _days(count: int) -> Callable[[Calendar], DateRange]:
    """Return the preset of the full days before today."""
    return lambda calendar: DateRange(
        calendar.today - timedelta(days=count), calendar.today - timedelta(days=1)
    )


def _week(back: int) -> Callable[[Calendar], DateRange]:
    def resolve(calendar: Calendar) -> DateRange:
        monday = calendar.today - timedelta(days=calendar.today.weekday() + 7 * back)
        return DateRange(monday, monday + timedelta(days=6))

    return resolve


def _months(length: int, back: int, *, is_fiscal: bool = False) -> Callable[[Calendar], DateRange]:
    """Return the preset of `length` months, counted from the start of the year or of the fiscal year."""

    def resolve(calendar: Calendar) -> DateRange:
        start = calendar.fiscal_year_start if is_fiscal else 1
        number = calendar.today.year * 12 + calendar.today.month - start
        first = number // length * length - back * length + start - 1
        return DateRange(_month(first), _month(first + length) - timedelta(days=1))

    return resolve


def _to_date(length: int, *, is_fiscal: bool = False) -> Callable[[Calendar], DateRange]:
    whole = _months(length, 0, is_fiscal=is_fiscal)
    return lambda calendar: DateRange(whole(calendar).first, calendar.today)


def _month(number: int) -> date:
    """Return the first day of a month, by its number since the year 0."""
    return date(number // 12, number % 12 + 1, 1)


PRESETS: Mapping[str, Preset] = {
    "today": Preset("Today", lambda calendar: DateRange(calendar.today, calendar.today)),
    "yesterday": Preset("Yesterday", _days(1)),
    "last_7_days": Preset("Last 7 days", _days(7)),
    "last_30_days": Preset("Last 30 days", _days(30)),
    "last_90_days": Preset("Last 90 days", _days(90)),
    "last_365_days": Preset("Last 365 days", _days(365)),
    "this_week": Preset("This week", _week(0)),
    "last_week": Preset("Last week", _week(1)),
    "this_month": Preset("This month", _months(1, 0)),
    "last_month": Preset("Last month", _months(1, 1)),
    "this_quarter": Preset("This quarter", _months(3, 0)),
    "last_quarter": Preset("Last quarter", _months(3, 1)),
    "this_year": Preset("This year", _months(12, 0)),
    "last_year": Preset("Last year", _months(12, 1)),
    "month_to_date": Preset("Month to date", _to_date(1)),
    "quarter_to_date": Preset("Quarter to date", _to_date(3)),
    "year_to_date": Preset("Year to date", _to_date(12)),
    "this_fiscal_quarter": Preset("This fiscal quarter", _months(3, 0, is_fiscal=True)),
    "last_fiscal_quarter": Preset("Last fiscal quarter", _months(3, 1, is_fiscal=True)),
    "this_fiscal_year": Preset("This fiscal year", _months(12, 0, is_fiscal=True)),
    "last_fiscal_year": Preset("Last fiscal year", _months(12, 1, is_fiscal=True)),
    "fiscal_year_to_date": Preset("Fiscal year to date", _to_date(12, is_fiscal=True)),
}
