"""Several of some options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .calendar import Calendar
from .choice import Choice
from .integer import to_whole
from .options import MOST_OPTIONS

MOST_CHOSEN = 200


@dataclass(frozen=True, kw_only=True)
class Choices(Choice):
    """Several of `options`, from `min_items` to `max_items`; a tuple in Python, in the order of the options.

    A required parameter needs at least one item. If it is left out and has no default, the value is the empty tuple.
    """

    kind: ClassVar[str] = "choices"

    min_items: int = 0
    max_items: int = MOST_CHOSEN

    def parse(self, value: object, calendar: Calendar | None) -> Any:  # noqa: ARG002 - other kinds need it
        if not isinstance(value, (list, tuple)):
            raise self._refusal("must be a list")
        if not self._least <= len(value) <= self.max_items:
            raise self._refusal(f"must have {self._least} to {self.max_items} items")
        if not all(self.allows(item) for item in value):
            raise self._refusal(f"must be a list, each item of which is {self.rule()}")
        items = [to_whole(item) for item in value]
        if len({str(item) for item in items}) < len(items):
            raise self._refusal("must not have the same item twice")
        return self._in_order(items)

    def to_python(self, canonical: Any) -> Any:
        return tuple(canonical or ())

    def from_texts(self, texts: Sequence[str]) -> Any:
        return [self._from_text(text) for text in texts]

    def to_texts(self, value: Any) -> list[str]:
        return [str(item) for item in value]

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array", "items": self.option_schema(), "uniqueItems": True}
        return schema | {"minItems": self._least, "maxItems": self.max_items}

    def describe(self, canonical: Any) -> str:
        return ", ".join(self.label_of(item) for item in canonical) if canonical else "none"

    @property
    def _least(self) -> int:
        return max(self.min_items, 1) if self.required else self.min_items

    def _in_order(self, values: Sequence[Any]) -> list[Any]:
        if self.options is None:
            return list(values)
        return [option.value for option in self.options if option.value in values]

    def _defaults(self) -> Sequence[Any]:
        return self.default or ()

    def _check_limits(self) -> None:
        super()._check_limits()
        counts = (self.min_items, self.max_items)
        if not all(type(count) is int for count in counts) or not 0 <= counts[0] <= counts[1] <= MOST_OPTIONS:
            raise self._contradiction(
                f"it takes from {counts[0]!r} to {counts[1]!r} items, and may take from 0 to {MOST_OPTIONS}"
            )
        if self.query is None and self.options is not None and self._least > len(self.options):
            raise self._contradiction(f"it takes at least {self._least} of {len(self.options)} options")
