"""The kinds of parameters that a type of report may have."""

from __future__ import annotations

from .parameter import DateRange, Parameter

__all__ = ["DateRange", "Parameter"]
