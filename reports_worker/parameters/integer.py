"""A whole number, as a parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from .calendar import Calendar
from .limits import describe_limits
from .parameter import Parameter

# Every program that reads JSON, and every database, holds numbers up to this one exactly.
LARGEST = 2**53 - 1
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Integer(Parameter):
    """A whole number from `min` to `max`."""

    kind: ClassVar[str] = "integer"

    min: int = -LARGEST
    max: int = LARGEST

    def parse(self, value: object, calendar: Calendar | None) -> Any:  # noqa: ARG002 - other kinds need it
        number = to_whole(value)
        if type(number) is not int or not self.min <= number <= self.max:
            raise self._refusal(f"must be a whole number{self._limits()}")
        return number

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.min, "maximum": self.max}

    def describe(self, canonical: Any) -> str:
        return super().describe(None) if canonical is None else f"{canonical:,}"

    def _from_text(self, text: str) -> Any:
        return int(text) if _WHOLE.fullmatch(text.strip()) else text

    def _limits(self) -> str:
        low = None if self.min == -LARGEST else self.min
        high = None if self.max == LARGEST else self.max
        return describe_limits(low, high) or describe_limits(self.min, self.max)

    def _check_limits(self) -> None:
        limits = (self.min, self.max)
        if not all(type(limit) is int and abs(limit) <= LARGEST for limit in limits) or self.min > self.max:
            raise self._contradiction(
                f"its limits are {self.min!r} and {self.max!r}; give whole numbers, the smaller number first, "
                f"from {-LARGEST} to {LARGEST}"
            )


def to_whole(value: object) -> object:
    """Return 5 for 5.0, which JSON does not distinguish; return any other value unchanged."""
    return int(value) if type(value) is float and value.is_integer() else value
