"""The days of a time zone, and previous periods."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from reports_worker.parameters import DateRange
from reports_worker.report_types.local_time import LocalTime, begins, previous_period


def days(first: str, last: str) -> DateRange:
    return DateRange(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (days("2026-07-01", "2026-09-30"), days("2026-04-01", "2026-06-30")),
        (days("2026-03-01", "2026-03-31"), days("2026-02-01", "2026-02-28")),
        (days("2026-01-01", "2026-12-31"), days("2025-01-01", "2025-12-31")),
        (days("2026-03-02", "2026-03-08"), days("2026-02-23", "2026-03-01")),
        (days("2026-03-01", "2026-03-30"), days("2026-01-30", "2026-02-28")),
    ],
)
def test_the_period_before_has_as_many_whole_months_or_days(period: DateRange, before: DateRange) -> None:
    assert previous_period(period) == before


def test_periods_are_cut_into_days_weeks_months_and_quarters() -> None:
    period = days("2025-12-30", "2026-01-06")

    assert len(begins(period, "day")) == 8
    assert begins(period, "week") == [date(2025, 12, 29), date(2026, 1, 5)]
    assert begins(period, "month") == [date(2025, 12, 1), date(2026, 1, 1)]
    assert begins(period, "quarter") == [date(2025, 10, 1), date(2026, 1, 1)]


def test_days_of_utc_need_no_sql() -> None:
    local = LocalTime(days("2026-01-01", "2026-12-31"), ZoneInfo("UTC"))

    assert (local.sql("ordered_at"), dict(local.values)) == ("ordered_at", {})
    assert local.end == datetime(2027, 1, 1)  # noqa: DTZ001 - as in the database


def test_changed_clocks_are_values_and_never_text() -> None:
    local = LocalTime(days("2026-03-29", "2026-03-29"), ZoneInfo("Europe/Prague"))

    assert (local.begin.isoformat(), local.end.isoformat()) == ("2026-03-28T23:00:00", "2026-03-29T22:00:00")
    assert dict(local.values) == {
        "clock_offset_0": 3600,
        "clock_change_1": datetime(2026, 3, 29, 1),  # noqa: DTZ001 - as in the database
        "clock_offset_1": 7200,
    }
    assert "ordered_at < :clock_change_1" in local.sql("ordered_at")
