"""The clock, and times as text: always UTC with a Z, to the microsecond in Redis, to the millisecond elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime

_FIRST_YEAR, _LAST_YEAR = 1970, 9000


def now() -> datetime:
    return datetime.now(UTC)


def to_text(time: datetime) -> str:
    """Write a time as Redis stores it, in RQ's own form."""
    return _to_iso(time, "microseconds")


def to_json(time: datetime) -> str:
    """Write a time for programs and files."""
    return _to_iso(time, "milliseconds")


def _to_iso(time: datetime, unit: str) -> str:
    # Many times faster than strftime, and each submit writes two.
    return time.astimezone(UTC).isoformat(timespec=unit).removesuffix("+00:00") + "Z"


def from_text(text: str) -> datetime | None:
    """Read a time; None for an empty text. Raises ValueError, also for a year out of range."""
    if not text:
        return None
    # Many times faster than strptime, and every page reads hundreds.
    time = datetime.fromisoformat(text)
    if time.tzinfo is not UTC:
        time = time.replace(tzinfo=UTC)
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise ValueError(f"{time.year} is no year of a report")
    return time
