"""How much a run tries: little for each submission, or with TESTS_WIDE=yes as much as finds rare faults."""

from __future__ import annotations

import os

IS_WIDE = os.environ.get("TESTS_WIDE") == "yes"


def count_examples(few: int, *, wide: int) -> int:
    """Choose how many examples Hypothesis draws for a property."""
    return wide if IS_WIDE else few
