"""Days from one to another, or a period by name."""

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
    'must be a period by its name, or from one day to another: {"preset": "last_month"} or '
    '{"from": "2026-07-01", "to": "2026-09-30"}'
)


@dataclass(frozen=True, kw_only=True)
class Period(Parameter):
    """Days within `min` and `max`, at most `max_days`; Python has them as a DateRange.

    In JSON a period is {"from", "to"}, or {"preset"} with one of `presets`; canonical is both, the days being
    those of the preset on the day of asking. Days that come with a preset are worked out anew. The default
    may be the name of a preset or a DateRange.
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
        # What it resolved to once may come with it, and is resolved anew.
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
            raise self._refusal(f"must be of days{limits}, not {days.first} to {days.last}")
        count = (days.last - days.first).days + 1
        if self.max_days is not None and count > self.max_days:
            raise self._refusal(f"must have at most {self.max_days:,} days, not {count:,}")

    def _check_default(self) -> None:
        # Whether the days of a preset are within the limits depends on the day.
        if isinstance(self.default, Mapping) and self.default.get("preset") in self.presets:
            return
        super()._check_default()

    def _check_limits(self) -> None:
        limits = read_limits(self.min, self.max)
        if limits is None:
            raise self._contradiction(
                f"it goes from {self.min!r} to {self.max!r}; give days, the earlier one first"
            )
        if self.max_days is not None and (type(self.max_days) is not int or self.max_days < 1):
            raise self._contradiction(
                f"it has at most {self.max_days!r} days; give a whole number of at least 1"
            )
        if isinstance(self.presets, str) or (unknown := set(self.presets) - PRESETS.keys()):
            named = repr(self.presets) if isinstance(self.presets, str) else ", ".join(map(repr, unknown))
            raise self._contradiction(f"{named} is no preset; {', '.join(PRESETS)} are")
        self._set(**limits, presets=tuple(self.presets), default=_read_default(self.default))


def _read_default(default: Any) -> Any:
    if isinstance(default, str):
        return {"preset": default}
    return to_json(default)
