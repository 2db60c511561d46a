"""Numbers of several rounds."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks.rounds import Spread, divide_pairs, interleave, percentile, summarise


def test_rounds_are_summed_up_by_their_median_and_their_ends() -> None:
    assert summarise([5.0, 1.0, 4.0, 900.0, 2.0]) == Spread(median=4.0, least=1.0, most=900.0)


def test_a_ratio_is_taken_within_a_round() -> None:
    # The second round was slow for both sides, which the medians of the sides would not show.
    assert divide_pairs([100.0, 10.0, 90.0], [50.0, 5.0, 45.0]) == [2.0, 2.0, 2.0]


def test_sides_of_different_numbers_of_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        divide_pairs([1.0, 2.0], [1.0])


@pytest.mark.parametrize(("percent", "expected"), [(50, 50.0), (99, 99.0), (99.5, 100.0), (100, 100.0)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], percent) == expected


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 99) == 7.0


def test_both_sides_are_measured_in_each_round_and_begin_in_turn() -> None:
    order: list[str] = []

    def measure(side: str) -> str:
        order.append(side)
        return f"{side} {order.count(side)}"

    ours, peer = interleave(3, partial(measure, "ours"), partial(measure, "peer"))

    assert order == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert ours == ["ours 1", "ours 2", "ours 3"]
    assert peer == ["peer 1", "peer 2", "peer 3"]
