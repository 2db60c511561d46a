"""Everything that this package raises on purpose."""

from __future__ import annotations


class BenchmarkError(Exception):
    """The measurements cannot go on."""


class MissingToolError(BenchmarkError):
    """A program that the measurements need is not installed."""
