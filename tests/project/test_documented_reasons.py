"""docs/reference/api.md has every reason for which a report can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports_worker import Reason

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


@pytest.mark.parametrize("reason", Reason)
def test_the_reason_is_explained(reason: Reason) -> None:
    section = DOCS.read_text(encoding="utf-8").partition("## How a report can fail")[2].partition("\n## ")[0]

    assert f"\n| `{reason}` |" in section
