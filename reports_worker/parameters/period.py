"""A period, as a parameter: two days, or a preset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from .calendar import Calendar
from .date import is_within, parse_day, read_limits
from .limits import describe_limits
from .parameter import Parameter
from .presets import PRESETS
from .values import DateRange, to_json

_FORM = (
    'must be a preset, or a first and a last day: {"preset": "last_month"} or '
    '{"from": "2026-07-01", "to": "2026-09-30"}'
)


@dataclass(frozen=True, kw_only=True)
class Period(Parameter):
    """Days within `min` and `max`, at most `max_days`; the Python value is a DateRange.

    In JSON a period is {"from", "to"}, or {"preset"} with one of `presets`. The canonical form of a preset has also the
    days of the preset on the day of the request. Days that are given with a preset are replaced. The default may be the
    name of a preset or a DateRange.
    """

    kind: ClassVar[str] = "period"

    min: date | None = None
    max: date | None = None
    max_days: int | None = None
    presets: Sequence[str] = tuple(PRESETS)

    def parse(self, value: object, calendar: Calendar | None) -> Any:
        if not isinstance(value, Mapping) or not value.keys() <= {"preset", "from", "to"}:
            raise self._refusal(_FORM)
        if "preset" in value:
            return self._parse_preset(value, calendar)
        days = self._parse_days(value)
        return {"from": days.first.isoformat(), "to": days.last.isoformat()}

    def to_python(self, canonical: Any) -> Any:
        if canonical is None:
            return None
        return DateRange(date.fromisoformat(canonical["from"]), date.fromisoformat(canonical["to"]))

    def schema(self) -> dict[str, Any]:
        day = {"type": "string", "format": "date"}
        preset = {"type": "string", "enum": list(self.presets)}
        days = {"type": "object", "properties": {"from": day, "to": day}, "required": ["from", "to"]}
        named = {
            "type": "object",
            "properties": {"preset": preset, "from": day, "to": day},
            "required": ["preset"],
        }
        kinds = [named, days] if self.presets else [days]
        return {"oneOf": [kind | {"additionalProperties": False} for kind in kinds]}

    def describe(self, canonical: Any) -> str:
        if canonical is None:
            return super().describe(None)
        days = f"{canonical['from']} to {canonical['to']}"
        preset = PRESETS.get(canonical.get("preset", ""))
        return f"{preset.title} ({days})" if preset else days

    def to_texts(self, value: Any) -> list[str]:
        return [value["preset"] if "preset" in value else f"{value['from']}..{value['to']}"]

    def _from_text(self, text: str) -> Any:
        first, dots, last = (part.strip() for part in text.partition(".."))
        return {"from": first, "to": last} if dots else {"preset": first}

    def _parse_preset(self, value: Mapping[str, Any], calendar: Calendar | None) -> Any:
        name = value["preset"]
        if not isinstance(name, str) or name not in self.presets:
            known = f"one of {', '.join(self.presets)}" if self.presets else "left out"
            raise self._refusal(f"must have a preset that is {known}")
        # The days of an earlier resolution may come with the preset, and are resolved again.
        if any(parse_day(value[end]) is None for end in ("from", "to") if end in value):
            raise self._refusal(_FORM)
        if calendar is None:
            days = self._parse_days(value)
        else:
            days = PRESETS[name].resolve(calendar)
            self._check_days(days)
        return {"preset": name, "from": days.first.isoformat(), "to": days.last.isoformat()}

    def _parse_days(self, value: Mapping[str, Any]) -> DateRange:
        first, last = parse_day(value.get("from")), parse_day(value.get("to"))
        if first is None or last is None:
            raise self._refusal(_FORM)
        if first > last:
            raise self._refusal(f"must not end before it begins: {first} is after {last}")
        self._check_days(days := DateRange(first, last))
        return days

    def _check_days(self, days: DateRange) -> None:
        if not (is_within(days.first, self.min, self.max) and is_within(days.last, self.min, self.max)):
            limits = describe_limits(self.min, self.max)
            raise self._refusal(f"must have days{limits}, not {days.first} to {days.last}")
        count = (days.last - days.first).days + 1
        if self.max_days is not None and count > self.max_days:
            raise self._refusal(f"must have at most {self.max_days:,} days, not {count:,}")

    def _check_default(self) -> None:
        # The day of the request decides whether the days of a preset are within the limits.
        if isinstance(self.default, Mapping) and self.default.get("preset") in self.presets:
            return
        super()._check_default()

    def _check_limits(self) -> None:
        limits = read_limits(self.min, self.max)
        if limits is None:
            raise self._contradiction(
                f"its limits are {self.min!r} and {self.max!r}; give days, the earlier day first"
            )
        if self.max_days is not None and (type(self.max_days) is not int or self.max_days < 1):
            raise self._contradiction(f"its max_days is {self.max_days!r}; give a whole number of at least 1")
        if isinstance(self.presets, str) or (unknown := set(self.presets) - PRESETS.keys()):
            named = repr(self.presets) if isinstance(self.presets, str) else ", ".join(map(repr, unknown))
            raise self._contradiction(f"{named} is not a preset; the presets are {', '.join(PRESETS)}")
        self._set(**limits, presets=tuple(self.presets), default=_read_default(self.default))


def _read_default(default: Any) -> Any:
    if isinstance(default, str):
        return {"preset": default}
    return to_json(default)
