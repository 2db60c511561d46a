"""Everything that this package raises on purpose."""

from __future__ import annotations

from harness.errors import HarnessError


class BenchmarkError(HarnessError):
    """The measurements cannot go on."""
