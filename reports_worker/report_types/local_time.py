"""The days of a time zone in a database whose timestamps are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from reports_worker.parameters import DateRange

GRANULARITIES = ("day", "week", "month", "quarter")


@dataclass(frozen=True)
class LocalTime:
    """The days from `days.first` to `days.last` in the time zone `zone`.

    A day of a clock change has 23 or 25 hours.
    """

    days: DateRange
    zone: tzinfo

    @property
    def begin(self) -> datetime:
        """The begin of the first day: a naive time in UTC, as the timestamps of the database."""
        return _to_utc(self.days.first, self.zone)

    @property
    def end(self) -> datetime:
        """The end of the last day, in the same form as `begin`."""
        return _to_utc(self.days.last + timedelta(days=1), self.zone)

    def sql(self, column: str) -> str:
        """Write the SQL expression of the local time of a UTC timestamp; the query needs `values`."""
        changes = self._changes
        if len(changes) == 1 and not changes[0][1]:
            return column
        cases = "".join(
            f" WHEN {column} < :clock_change_{n} THEN CAST(:clock_offset_{n - 1} AS INTEGER)"
            for n in range(1, len(changes))
        )
        last = f"CAST(:clock_offset_{len(changes) - 1} AS INTEGER)"
        seconds = f"CASE{cases} ELSE {last} END" if cases else last
        return f"({column} + {seconds} * INTERVAL '1' SECOND)"

    @property
    def values(self) -> Mapping[str, Any]:
        """The values for the placeholders in `sql`."""
        changes = self._changes
        if len(changes) == 1 and not changes[0][1]:
            return {}
        offsets = {f"clock_offset_{n}": offset for n, (_, offset) in enumerate(changes)}
        return offsets | {f"clock_change_{n}": at for n, (at, _) in enumerate(changes) if n}

    @property
    def _changes(self) -> list[tuple[datetime, int]]:
        """The offsets of local time in seconds, each with the time (UTC) from which it applies."""
        begin, end = self.begin, self.end
        changes = [(begin, self._offset(begin))]
        while begin < end:
            following = min(begin + timedelta(days=1), end)
            if self._offset(following) != changes[-1][1]:
                at = self._find_change(begin, following)
                changes.append((at, self._offset(at)))
                following = at
            begin = following
        return changes

    def _find_change(self, before: datetime, after: datetime) -> datetime:
        offset = self._offset(before)
        while after - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
            before, after = (middle, after) if self._offset(middle) == offset else (before, middle)
        return after

    def _offset(self, at: datetime) -> int:
        offset = at.replace(tzinfo=UTC).astimezone(self.zone).utcoffset() or timedelta()
        return int(offset.total_seconds())


def previous_period(days: DateRange) -> DateRange:
    """Return the period before: the same number of months where these are full months, otherwise of days."""
    last = days.first - timedelta(days=1)
    after = days.last + timedelta(days=1)
    if days.first.day == 1 and after.day == 1:
        months = 12 * (after.year - days.first.year) + after.month - days.first.month
        return DateRange(add_months(days.first, -months), last)
    return DateRange(days.first - (after - days.first), last)


def begins(days: DateRange, granularity: str) -> list[date]:
    """List the first day of each day, week (from Monday), month or quarter that contains some of the days."""
    found = [_begin(days.first, granularity)]
    while (following := _following(found[-1], granularity)) <= days.last:
        found.append(following)
    return found


def add_months(first: date, months: int) -> date:
    """Return the first day of the month that is `months` after the month of `first`."""
    count = 12 * first.year + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _begin(day: date, granularity: str) -> date:
    if granularity == "week":
        return day - timedelta(days=day.weekday())
    if granularity == "month":
        return day.replace(day=1)
    return day.replace(month=day.month - (day.month - 1) % 3, day=1) if granularity == "quarter" else day


def _following(begin: date, granularity: str) -> date:
    if granularity in ("month", "quarter"):
        return add_months(begin, 1 if granularity == "month" else 3)
    return begin + timedelta(days=7 if granularity == "week" else 1)


def _to_utc(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None)
