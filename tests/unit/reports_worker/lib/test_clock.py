"""Times as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from reports_worker.lib import clock

NOON = datetime(2026, 7, 1, 14, 0, 0, 123_456, timezone(timedelta(hours=2)))


def test_redis_keeps_microseconds_and_programs_get_milliseconds() -> None:
    assert clock.to_text(NOON) == "2026-07-01T12:00:00.123456Z"
    assert clock.to_json(NOON) == "2026-07-01T12:00:00.123Z"


def test_a_time_of_redis_is_read_back() -> None:
    assert clock.from_text(clock.to_text(NOON)) == NOON
    assert clock.from_text(clock.to_json(NOON)) == datetime(2026, 7, 1, 12, 0, 0, 123_000, UTC)
