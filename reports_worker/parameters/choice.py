"""One of several options."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from reports_worker.errors import DefinitionError

from .calendar import Calendar
from .integer import to_whole
from .options import ANY_OPTION, find_option, is_option_value, name_options, read_options
from .parameter import Parameter


@dataclass(frozen=True, kw_only=True)
class Choice(Parameter):
    """One of `options`: values, or pairs of value and label; values are text or whole numbers.

    With `query` instead, the options are the rows of a query: the value, and the label if there is a second column.
    Until the query has run, `options` is None, and any value that could be an option is allowed.
    """

    kind: ClassVar[str] = "choice"

    options: Sequence[Any] | None = None
    query: str | None = None

    def parse(self, value: object, calendar: Calendar | None) -> Any:  # noqa: ARG002 - other kinds need it
        if not self.allows(value):
            raise self._refusal(f"must be {self.rule()}")
        return to_whole(value)

    def schema(self) -> dict[str, Any]:
        return self.option_schema()

    def describe(self, canonical: Any) -> str:
        return super().describe(None) if canonical is None else self.label_of(canonical)

    def allows(self, value: object) -> bool:
        """Return whether this value may be chosen."""
        if self.options is None:
            return is_option_value(to_whole(value))
        return find_option(self.options, to_whole(value)) is not None

    def rule(self) -> str:
        """Return the words for the allowed values, for an error message."""
        if self.options is None:
            return "text on one line or a whole number"
        return (
            f"one of {name_options(self.options)}"
            if self.options
            else "left out: there is nothing to choose from"
        )

    def option_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the allowed values."""
        if self.options is None:
            return ANY_OPTION
        # An enum must not be empty; the schema {"not": {}} allows no value.
        return {"enum": [option.value for option in self.options]} if self.options else {"not": {}}

    def label_of(self, value: Any) -> str:
        """Return the label of a value."""
        option = find_option(self.options or (), value)
        return option.label if option else str(value)

    def with_options(self, rows: Iterable[Any]) -> Self:
        """Return this parameter with the rows of its query as options; raise DefinitionError.

        The default is an option even where the data does not have it now.
        """
        options = read_options(tuple(row) if isinstance(row, Iterable) and not isinstance(row, str) else row
                               for row in rows)  # fmt: skip
        missing = [value for value in self._defaults() if not find_option(options, value)]
        return dataclasses.replace(self, options=(*read_options(missing), *options))

    def _from_text(self, text: str) -> Any:
        by_text = {str(option.value): option.value for option in self.options or ()}
        return by_text.get(text, text)

    def _defaults(self) -> Sequence[Any]:
        return () if self.default is None else (self.default,)

    def _check_limits(self) -> None:
        if self.query is not None and not (isinstance(self.query, str) and self.query.strip()):
            raise self._contradiction("its query must be SQL")
        if self.options is None:
            if self.query is None:
                raise self._contradiction("it has neither options nor a query")
            return
        try:
            self._set(options=read_options(self.options))
        except (DefinitionError, TypeError) as error:
            raise self._contradiction(f"its options are not valid: {error}") from error
        if not self.options and self.query is None:
            raise self._contradiction("it has no options")
