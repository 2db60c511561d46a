"""Values of rows as JSON: the rules that all readers share, and what each of them chooses."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from reports_worker.formats.json_values import JsonForm

PLAIN = JsonForm(decimal=str)
NESTED = JsonForm(decimal=str, is_nested=True)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("-Infinity")])
def test_what_is_no_number_is_null(value: float | Decimal) -> None:
    assert PLAIN.write(value) is None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (1.5, 1.5),
        (Fraction(1, 4), 0.25),
        (Decimal("1.50"), "1.50"),
        ("text", "text"),
        (date(2026, 7, 1), "2026-07-01"),
        (datetime(2026, 7, 1, 12, tzinfo=UTC).replace(tzinfo=None), "2026-07-01T12:00:00.000000"),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), "2026-07-01T12:00:00.000000Z"),
        (b"bytes", "b'bytes'"),
    ],
)
def test_each_kind_of_value_has_one_form(value: Any, written: Any) -> None:
    assert PLAIN.write(value) == written


def test_lists_and_mappings_are_texts_unless_a_reader_takes_them() -> None:
    value = {1: [Decimal(1), math.nan]}

    assert NESTED.write(value) == {"1": ["1", None]}
    assert PLAIN.write([1, 2]) == "[1, 2]"


def test_a_reader_chooses_the_form_of_numbers_times_and_texts() -> None:
    form = JsonForm(
        decimal=float, integer=str, time=lambda _: "time", day=lambda _: "day", text=lambda text: text[:2]
    )
    values = [Decimal("0.5"), 7, datetime(2026, 7, 1, tzinfo=UTC), date(2026, 7, 1), "long"]

    assert [form.write(value) for value in values] == [0.5, "7", "time", "day", "lo"]
