"""Formatting of ages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reports_app.pages.ages import describe_age

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(milliseconds=999), "just now"),
        (timedelta(seconds=1), "1 s ago"),
        (timedelta(seconds=59.9), "59 s ago"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(seconds=119), "1 minute ago"),
        (timedelta(minutes=2), "2 minutes ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=800), "800 days ago"),
    ],
)
def test_an_age_has_the_largest_unit_that_fits(age: timedelta, words: str) -> None:
    assert describe_age(NOW - age, now=NOW) == words


def test_a_time_ahead_of_the_clock_is_just_now() -> None:
    assert describe_age(NOW + timedelta(minutes=5), now=NOW) == "just now"
