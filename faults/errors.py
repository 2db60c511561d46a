"""Everything that this package raises on purpose."""

from __future__ import annotations


class FaultsError(Exception):
    """The suite cannot go on with a scenario."""


class MissingToolError(FaultsError):
    """Something that the suite needs is not there."""


class InterruptedRunError(FaultsError):
    """Whoever started the run has ended it."""
