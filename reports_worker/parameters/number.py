"""A number with a fraction, as a parameter."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from .calendar import Calendar
from .limits import describe_limits
from .parameter import Parameter

_DECIMAL = re.compile(r"[+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Number(Parameter):
    """A number from `min` to `max`; the canonical form is a float."""

    kind: ClassVar[str] = "number"

    min: float | None = None
    max: float | None = None

    def parse(self, value: object, calendar: Calendar | None) -> Any:  # noqa: ARG002 - other kinds need it
        number = to_float(value)
        if number is None or not self._is_within(number):
            raise self._refusal(f"must be a number{describe_limits(self.min, self.max)}")
        return number

    def schema(self) -> dict[str, Any]:
        limits = {"minimum": self.min, "maximum": self.max}
        return {"type": "number"} | {name: limit for name, limit in limits.items() if limit is not None}

    def describe(self, canonical: Any) -> str:
        return super().describe(None) if canonical is None else f"{canonical:,.12g}"

    def to_texts(self, value: Any) -> list[str]:
        return [repr(value).removesuffix(".0")]

    def _from_text(self, text: str) -> Any:
        return float(text) if _DECIMAL.fullmatch(text.strip()) else text

    def _is_within(self, number: float) -> bool:
        return (self.min is None or number >= self.min) and (self.max is None or number <= self.max)

    def _check_limits(self) -> None:
        for limit in (self.min, self.max):
            if limit is not None and to_float(limit) is None:
                raise self._contradiction(f"its limit {limit!r} is not a number")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise self._contradiction(
                f"its limits are {self.min!r} and {self.max!r}; give the smaller number first"
            )


def to_float(value: object) -> float | None:
    """Return a finite number as float; None for any other value, also for true and false."""
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return number + 0.0 if math.isfinite(number) else None  # the addition turns minus zero into zero
