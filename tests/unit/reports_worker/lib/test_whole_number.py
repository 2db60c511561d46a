"""Whole numbers as text."""

from __future__ import annotations

import pytest

from reports_worker.lib.whole_number import is_whole, parse_port, parse_whole


@pytest.mark.parametrize(
    "text", ["", " ", "1 ", "-1", "+1", "1.0", "1e3", "1_000", "٢", "²", "one", "9" * 5000]
)
def test_other_texts_are_no_whole_numbers(text: str) -> None:
    assert not is_whole(text)


@pytest.mark.parametrize(("text", "is_port"), [("1", True), ("0", False), ("65535", True), ("65536", False)])
def test_both_limits_are_included(text: str, is_port: bool) -> None:
    assert is_whole(text, 1, 65535) == is_port


def test_a_refusal_names_both_limits() -> None:
    assert parse_whole(2, 9)("9") == 9
    with pytest.raises(ValueError, match=r"^give a whole number from 2 to 9$"):
        parse_whole(2, 9)("1")
    with pytest.raises(ValueError, match=r"^give a whole number from 1 to 65535$"):
        parse_port("65536")
