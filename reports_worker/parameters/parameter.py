"""What every kind of parameter is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class DateRange:
    """Days from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One thing that can be chosen when a report is asked for. Plain data: it can be written as JSON.

    `name` is a Python identifier in lower case. One that is not `required` may be left out, and then has its
    `default`.
    """

    name: str
    title: str = ""
    help: str = ""
    required: bool = False
    default: Any = None
