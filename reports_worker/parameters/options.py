"""The options of a choice: fixed, or the rows of a query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reports_worker.errors import DefinitionError

from .integer import LARGEST
from .text import ON_ONE_LINE, is_one_line

MOST_OPTIONS = 1000
LONGEST_OPTION = 200
MOST_NAMED = 20

Value = str | int

ANY_OPTION: dict[str, Any] = {
    "type": ["string", "integer"],
    "minLength": 1,
    "maxLength": LONGEST_OPTION,
    "pattern": ON_ONE_LINE,
    "minimum": -LARGEST,
    "maximum": LARGEST,
}


@dataclass(frozen=True)
class Option:
    """A value, which is text or a whole number, and its label for people."""

    value: Value
    label: str = ""

    def __post_init__(self) -> None:
        if not is_option_value(self.value):
            raise DefinitionError(
                f"{self.value!r} cannot be an option: an option is a whole number, or text on one line of 1 to "
                f"{LONGEST_OPTION} characters."
            )
        if not isinstance(self.label, str):
            raise DefinitionError(f"The label of the option {self.value!r} must be text, not {self.label!r}.")
        if not self.label:
            object.__setattr__(self, "label", str(self.value))


def is_option_value(value: object) -> bool:
    """Return whether a JSON value can be the value of an option."""
    if isinstance(value, str):
        return 1 <= len(value) <= LONGEST_OPTION and is_one_line(value)
    return type(value) is int and abs(value) <= LARGEST


def read_options(given: Iterable[Any]) -> tuple[Option, ...]:
    """Make options from values, from pairs of value and label, or from data; raise DefinitionError."""
    if isinstance(given, (str, Mapping)):
        raise DefinitionError(f"The options must be a list, not {given!r}.")
    options = tuple(_read_option(one) for one in islice(given, MOST_OPTIONS + 1))
    if len(options) > MOST_OPTIONS:
        raise DefinitionError(f"There are more than {MOST_OPTIONS:,} options.")
    texts = [str(option.value) for option in options]
    if twice := next((text for text in texts if texts.count(text) > 1), None):
        raise DefinitionError(f"The option {twice!r} occurs twice.")
    return options


def _read_option(one: Any) -> Option:
    if isinstance(one, Option):
        return one
    if isinstance(one, Mapping):
        return Option(**one)
    if isinstance(one, Sequence) and not isinstance(one, str):
        return Option(*one[:2])
    return Option(one)


def find_option(options: Sequence[Option], value: object) -> Option | None:
    """Find the option whose value has the same type as a JSON value and is equal to it."""
    return next((one for one in options if type(one.value) is type(value) and one.value == value), None)


def name_options(options: Sequence[Option]) -> str:
    """List the values for a message, with a count of the rest where there are more than `MOST_NAMED`."""
    named = ", ".join(str(option.value) for option in options[:MOST_NAMED])
    return f"{named} and {len(options) - MOST_NAMED} more" if len(options) > MOST_NAMED else named
