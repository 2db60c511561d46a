"""The kinds of parameters that a report type may have."""

from __future__ import annotations

from .boolean import Boolean
from .calendar import Calendar
from .choice import Choice
from .choices import Choices
from .date import Date
from .integer import Integer
from .json_schema import describe_schema
from .number import Number
from .options import MOST_OPTIONS, Option
from .parameter import Parameter
from .period import Period
from .presets import PRESETS
from .registry import KINDS, from_data
from .text import Text
from .validation import check_definitions, check_parameters, describe_parameters, read_values
from .values import DateRange, to_json

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
