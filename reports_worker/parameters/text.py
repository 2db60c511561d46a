"""Text on one line, as a parameter."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar

from .calendar import Calendar
from .parameter import Parameter

LONGEST = 10_000
# Control characters, lone surrogates (which UTF-8 cannot encode) and the two line separators.
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
ON_ONE_LINE = "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$"


@dataclass(frozen=True, kw_only=True)
class Text(Parameter):
    """Text on one line, in any script.

    `pattern` is a regular expression for the whole text; `help` should describe the pattern in words.
    """

    kind: ClassVar[str] = "text"

    min_length: int = 0
    max_length: int = 200
    pattern: str | None = None

    def parse(self, value: object, calendar: Calendar | None) -> Any:  # noqa: ARG002 - other kinds need it
        if not isinstance(value, str):
            raise self._refusal("must be text")
        if not self.min_length <= len(value) <= self.max_length:
            raise self._refusal(f"must have {self.min_length} to {self.max_length} characters")
        if not is_one_line(value):
            raise self._refusal("must not contain control characters or line breaks")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise self._refusal(self.help.rstrip(".") if self.help else f"must match {self.pattern}")
        return value

    def schema(self) -> dict[str, Any]:
        line = {"pattern": ON_ONE_LINE}
        schema: dict[str, Any] = {"type": "string", "maxLength": self.max_length}
        if self.min_length:
            schema["minLength"] = self.min_length
        if self.pattern is None:
            return schema | line
        return schema | {"pattern": f"^(?:{self.pattern})$", "allOf": [line]}

    def _check_limits(self) -> None:
        lengths = (self.min_length, self.max_length)
        if not all(type(length) is int for length in lengths) or not 0 <= lengths[0] <= lengths[1] <= LONGEST:
            raise self._contradiction(
                f"its lengths are from {lengths[0]!r} to {lengths[1]!r}, and may be from 0 to {LONGEST}"
            )
        try:
            re.compile(self.pattern or "")
        except (re.error, TypeError) as error:
            raise self._contradiction(f"its pattern is not a regular expression: {error}") from error


def is_one_line(text: str) -> bool:
    """Return whether text has no control characters, no line breaks and no lone surrogates."""
    return not any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in text)
