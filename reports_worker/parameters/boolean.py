"""Yes or no, as a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .calendar import Calendar
from .parameter import Parameter

_WORDS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True, kw_only=True)
class Boolean(Parameter):
    """Yes or no."""

    kind: ClassVar[str] = "boolean"

    def parse(self, value: object, calendar: Calendar | None) -> Any:  # noqa: ARG002 - other kinds need it
        if type(value) is not bool:
            raise self._refusal("must be true or false")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def describe(self, canonical: Any) -> str:
        return super().describe(None) if canonical is None else ("yes" if canonical else "no")

    def to_texts(self, value: Any) -> list[str]:
        return ["true" if value else "false"]

    def _from_text(self, text: str) -> Any:
        return _WORDS.get(text.strip().lower(), text)
