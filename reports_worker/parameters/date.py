"""A day, as a parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

from .calendar import Calendar
from .limits import describe_limits
from .parameter import Parameter

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DAYS_BACK = {"today": 0, "yesterday": 1}


@dataclass(frozen=True, kw_only=True)
class Date(Parameter):
    """A day from `min` to `max`, in JSON as 2026-07-01; the default may also be "today" or "yesterday"."""

    kind: ClassVar[str] = "date"

    min: date | None = None
    max: date | None = None

    def parse(self, value: object, calendar: Calendar | None) -> Any:  # noqa: ARG002 - other kinds need it
        day = parse_day(value)
        if day is None or not is_within(day, self.min, self.max):
            raise self._refusal(f"must be a day{describe_limits(self.min, self.max)}, such as 2026-07-01")
        return day.isoformat()

    def fill(self, calendar: Calendar) -> Any:
        if self.default in _DAYS_BACK:
            return (calendar.today - timedelta(days=_DAYS_BACK[self.default])).isoformat()
        return super().fill(calendar)

    @property
    def offered(self) -> Any:
        return None if self.default in _DAYS_BACK else self.default

    def to_python(self, canonical: Any) -> Any:
        return None if canonical is None else date.fromisoformat(canonical)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    def _from_text(self, text: str) -> Any:
        return text.strip()

    def _check_limits(self) -> None:
        if type(self.default) is date:
            self._set(default=self.default.isoformat())
        limits = read_limits(self.min, self.max)
        if limits is None:
            raise self._contradiction(
                f"its limits are {self.min!r} and {self.max!r}; give days, the earlier day first"
            )
        self._set(**limits)


def parse_day(value: object) -> date | None:
    """Parse a day from a JSON value; return None for any other value."""
    if not (isinstance(value, str) and _DAY.fullmatch(value)):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def is_within(day: date, low: date | None, high: date | None) -> bool:
    return (low is None or day >= low) and (high is None or day <= high)


def read_limits(low: object, high: object) -> Mapping[str, date | None] | None:
    """Return `min` and `max` as days; each may be text. None where they cannot be limits."""
    days = {name: one if type(one) is date else parse_day(one) for name, one in (("min", low), ("max", high))}
    if any(given is not None and day is None for given, day in zip((low, high), days.values(), strict=True)):
        return None
    if days["min"] and days["max"] and days["min"] > days["max"]:
        return None
    return days
