"""The parameters of a type together: checks of the definitions and of given values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports_worker.errors import DefinitionError, FieldError, ParameterError

from .calendar import Calendar
from .parameter import Parameter

FIELD = "parameters"
LONGEST_NAME = 100


def check_definitions(parameters: Sequence[Parameter]) -> None:
    """Raise DefinitionError where two parameters have one name."""
    names = [one.name for one in parameters]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DefinitionError(f"Two parameters have the name {twice!r}.")


def check_parameters(
    parameters: Sequence[Parameter], given: object, *, calendar: Calendar, is_canonical: bool = False
) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the canonical form of the given values, with defaults filled in, and all errors.

    With `is_canonical` the values are in canonical form already, and presets are not resolved again.
    """
    if not isinstance(given, Mapping):
        return {}, [FieldError(FIELD, "The parameters must be an object.")]
    canonical: dict[str, Any] = {}
    errors: list[FieldError] = []
    for parameter in parameters:
        try:
            if parameter.name in given:
                value = parameter.parse(given[parameter.name], None if is_canonical else calendar)
            elif parameter.required:
                raise ParameterError(f"{parameter.label} is required.")
            else:
                value = parameter.fill(calendar)
        except ParameterError as error:
            errors.append(FieldError(f"{FIELD}.{parameter.name}", str(error)))
        else:
            canonical |= {} if value is None else {parameter.name: value}
    return canonical, errors + _find_unknown([one.name for one in parameters], given)


def read_values(parameters: Iterable[Parameter], canonical: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Python values of all parameters; a missing value is None, or no choices."""
    return {one.name: one.to_python(canonical.get(one.name)) for one in parameters}


def describe_parameters(
    parameters: Iterable[Parameter], canonical: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return titles and values in words for people, also of parameters that the type no longer has."""
    known = {one.name: one for one in parameters}
    described = [(one.label, one.describe(canonical.get(one.name))) for one in known.values()]
    return described + [(name, str(value)) for name, value in canonical.items() if name not in known]


def _find_unknown(names: Sequence[str], given: Mapping[str, Any]) -> list[FieldError]:
    known = f", which has {', '.join(names)}" if names else ""
    return [
        FieldError(
            f"{FIELD}.{str(name)[:LONGEST_NAME]}",
            f"{str(name)[:LONGEST_NAME]!r} is not a parameter of this type{known}.",
        )
        for name in given
        if name not in names
    ]
