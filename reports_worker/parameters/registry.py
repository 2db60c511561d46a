"""The table of all kinds of parameters, and the reader of definitions from data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports_worker.errors import DefinitionError

from .boolean import Boolean
from .choice import Choice
from .choices import Choices
from .date import Date
from .integer import Integer
from .number import Number
from .parameter import Parameter
from .period import Period
from .text import Text

KINDS: Mapping[str, type[Parameter]] = {
    kind.kind: kind for kind in (Text, Integer, Number, Boolean, Choice, Choices, Date, Period)
}


def from_data(data: Mapping[str, Any]) -> Parameter:
    """Make the parameter from the data that `to_data` returned; raise DefinitionError."""
    if not isinstance(data, Mapping) or data.get("kind") not in KINDS:
        raise DefinitionError(
            f"{str(data)[:100]!r} is not a parameter: its kind must be one of {', '.join(KINDS)}."
        )
    fields = {name: value for name, value in data.items() if name != "kind"}
    try:
        return KINDS[data["kind"]](**fields)
    except TypeError as error:
        raise DefinitionError(f"The parameter {data.get('name')!r} cannot be read: {error}") from error
