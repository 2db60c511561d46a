"""Rows of the table and the bars that they are held to."""

from __future__ import annotations

import pytest

from benchmarks.rows import AtLeast, AtMost, Row, Within


def test_the_ratio_is_the_median_of_those_of_the_rounds() -> None:
    row = Row("submit", "requests/s", [100.0, 20.0, 300.0], [100.0, 10.0, 100.0])

    assert row.ratio == 2.0


def test_there_is_no_ratio_to_nothing() -> None:
    assert Row("round trips", "", [1.0], [0.0]).ratio is None


def test_a_row_without_a_bar_is_neither_met_nor_missed() -> None:
    assert Row("memory", "MB", [1.0], [9.0]).is_met is None


@pytest.mark.parametrize(
    ("bar", "ours", "is_met"),
    [
        (AtLeast(0.8), 80.0, True),
        (AtLeast(0.8), 79.0, False),
        (AtMost(1), 100.0, True),
        (AtMost(1), 101.0, False),
        (Within(10), 10.0, True),
        (Within(10), 10.1, False),
    ],
)
def test_a_bar_is_met_up_to_its_limit(bar: AtLeast | AtMost | Within, ours: float, is_met: bool) -> None:
    assert Row("row", "", [ours], [100.0], bar).is_met is is_met


def test_a_bar_of_our_own_does_not_look_at_the_peer() -> None:
    assert Row("enqueue to start", "ms", [9.0], [0.1], Within(10)).is_met is True


def test_a_row_of_ours_alone_has_no_ratio_and_may_have_a_bar() -> None:
    row = Row("p99 among many to p99 alone", "times", [1.4, 1.5, 9.0], bar=Within(1.5))

    assert (row.ratio, row.is_met) == (None, True)
