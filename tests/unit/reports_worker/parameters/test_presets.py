"""Presets on days where errors are likely."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_worker.parameters import PRESETS, Calendar
from reports_worker.settings.data import DataSettings


def resolve(preset: str, today: str, *, fiscal_year_start: int = 1) -> str:
    days = PRESETS[preset].resolve(Calendar(date.fromisoformat(today), fiscal_year_start))
    return f"{days.first} {days.last}"


@pytest.mark.parametrize(
    ("preset", "today", "days"),
    [
        ("today", "2026-07-16", "2026-07-16 2026-07-16"),
        ("yesterday", "2026-01-01", "2025-12-31 2025-12-31"),
        ("last_7_days", "2026-03-01", "2026-02-22 2026-02-28"),
        ("last_30_days", "2024-03-01", "2024-01-31 2024-02-29"),
        ("this_week", "2026-07-12", "2026-07-06 2026-07-12"),  # a Sunday
        ("this_week", "2026-07-13", "2026-07-13 2026-07-19"),  # a Monday
        ("last_week", "2026-01-01", "2025-12-22 2025-12-28"),
        ("this_month", "2024-02-29", "2024-02-01 2024-02-29"),
        ("last_month", "2026-01-31", "2025-12-01 2025-12-31"),
        ("last_month", "2026-03-31", "2026-02-01 2026-02-28"),
        ("this_quarter", "2026-12-31", "2026-10-01 2026-12-31"),
        ("last_quarter", "2026-03-31", "2025-10-01 2025-12-31"),
        ("last_quarter", "2026-04-01", "2026-01-01 2026-03-31"),
        ("this_year", "2026-07-16", "2026-01-01 2026-12-31"),
        ("last_year", "2026-01-01", "2025-01-01 2025-12-31"),
        ("month_to_date", "2026-07-16", "2026-07-01 2026-07-16"),
        ("quarter_to_date", "2026-08-16", "2026-07-01 2026-08-16"),
        ("year_to_date", "2026-01-01", "2026-01-01 2026-01-01"),
    ],
)
def test_a_preset_is_these_days(preset: str, today: str, days: str) -> None:
    assert resolve(preset, today) == days


@pytest.mark.parametrize(
    ("preset", "today", "start", "days"),
    [
        ("this_fiscal_year", "2026-03-31", 4, "2025-04-01 2026-03-31"),
        ("this_fiscal_year", "2026-04-01", 4, "2026-04-01 2027-03-31"),
        ("last_fiscal_year", "2026-03-31", 4, "2024-04-01 2025-03-31"),
        ("this_fiscal_quarter", "2026-01-15", 2, "2025-11-01 2026-01-31"),
        ("last_fiscal_quarter", "2026-01-15", 2, "2025-08-01 2025-10-31"),
        ("fiscal_year_to_date", "2026-07-16", 10, "2025-10-01 2026-07-16"),
        ("this_fiscal_quarter", "2026-12-31", 12, "2026-12-01 2027-02-28"),
    ],
)
def test_a_fiscal_year_begins_in_its_month(preset: str, today: str, start: int, days: str) -> None:
    assert resolve(preset, today, fiscal_year_start=start) == days


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.integers(1, 12))
def test_periods_follow_each_other_without_gap_or_overlap(today: date, start: int) -> None:
    calendar = Calendar(today, start)
    for name, preset in PRESETS.items():
        days = preset.resolve(calendar)
        assert days.first <= days.last
        if name.startswith("this_"):
            before = PRESETS[name.replace("this_", "last_")].resolve(calendar)
            assert days.first <= today <= days.last
            assert before.last + timedelta(days=1) == days.first


def test_the_day_is_that_of_the_time_zone() -> None:
    now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    days = [
        DataSettings(timezone=ZoneInfo(zone), fiscal_year_start=4).calendar(now)
        for zone in ("UTC", "Europe/Prague", "America/New_York")
    ]

    assert [str(day.today) for day in days] == ["2026-12-31", "2027-01-01", "2026-12-31"]
    assert days[0].fiscal_year_start == 4
