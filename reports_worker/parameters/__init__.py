"""The kinds of parameters that a type of report may have."""

from __future__ import annotations

from .boolean import Boolean
from .calendars import Calendar
from .checking import check_definitions, check_parameters, describe_parameters, read_values
from .choice import Choice
from .choices import Choices
from .dates import Date
from .integer import Integer
from .kinds import KINDS, from_data
from .number import Number
from .options import MOST_OPTIONS, Option
from .parameter import Parameter
from .period import Period
from .presets import PRESETS
from .python_values import DateRange, to_json
from .schemas import describe_schema
from .text import Text

__all__ = [
    "KINDS",
    "MOST_OPTIONS",
    "PRESETS",
    "Boolean",
    "Calendar",
    "Choice",
    "Choices",
    "Date",
    "DateRange",
    "Integer",
    "Number",
    "Option",
    "Parameter",
    "Period",
    "Text",
    "check_definitions",
    "check_parameters",
    "describe_parameters",
    "describe_schema",
    "from_data",
    "read_values",
    "to_json",
]
