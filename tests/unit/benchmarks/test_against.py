"""The comparison of two checkouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import against


def test_a_ratio_is_of_the_values_of_one_round() -> None:
    row = ("submit", "requests/s", [100.0, 10.0, 60.0], [50.0, 10.0, 20.0])

    lines = against.render([row]).splitlines()

    assert lines[1].split() == ["submit", "60.0", "20.0", "2.000", "(1.00", "to", "3.00)", "requests/s"]


def test_a_folder_without_the_product_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert against.main([str(tmp_path)]) == 1

    assert "no checkout of the product" in capsys.readouterr().err
