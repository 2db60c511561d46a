"""Values of rows as JSON. One table of kinds for the JSON file, for charts and for the preview of a report."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from reports_worker.lib import clock


def write_time(time: datetime) -> str:
    """Write a time to the microsecond; a time with a zone as UTC with a Z."""
    return clock.to_text(time) if time.tzinfo else time.isoformat(timespec="microseconds")


@dataclass(frozen=True)
class JsonForm:
    """How one reader of JSON gets the values that JSON has no form for.

    NaN and infinity are null for every reader. With `is_nested`, lists and mappings are arrays and objects; without,
    they are texts.
    """

    decimal: Callable[[Decimal], Any]
    integer: Callable[[int], Any] = int
    time: Callable[[datetime], str] = write_time
    day: Callable[[date], str] = date.isoformat
    text: Callable[[str], str] = str
    is_nested: bool = False

    def write(self, value: Any) -> Any:
        """Write one value. Raises what the value itself or a function of this form raises."""
        if self.is_nested and isinstance(value, Mapping):
            return {str(key): self.write(item) for key, item in value.items()}
        if self.is_nested and isinstance(value, (list, tuple)):
            return [self.write(item) for item in value]
        return self._write_single(value)

    def _write_single(self, value: Any) -> Any:
        match value:
            case None | bool():
                return value
            case Decimal() | Real():
                return self._write_number(value)
            case datetime():
                return self.time(value)
            case date():
                return self.day(value)
            case _:
                return self.text(str(value))

    def _write_number(self, value: Decimal | Real) -> Any:
        if isinstance(value, Integral):
            return self.integer(int(value))
        if isinstance(value, Decimal):
            return self.decimal(value) if value.is_finite() else None
        number = float(value)
        return number if math.isfinite(number) else None
