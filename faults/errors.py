"""Everything that this package raises on purpose."""

from __future__ import annotations

from harness.errors import HarnessError


class FaultsError(HarnessError):
    """The suite cannot go on with a scenario."""
