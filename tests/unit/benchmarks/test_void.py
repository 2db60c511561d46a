"""Whether a run counts."""

from __future__ import annotations

import pytest

from benchmarks.void import RECORDED, Check


@pytest.mark.parametrize("concurrency", RECORDED)
def test_a_peer_as_fast_as_recorded_counts(concurrency: int) -> None:
    check = Check(concurrency, [RECORDED[concurrency]] * 5)

    assert check.share == pytest.approx(1)
    assert not check.is_void


def test_a_peer_that_is_faster_than_recorded_counts() -> None:
    assert not Check(8, [1.0]).is_void


def test_a_peer_below_four_fifths_of_what_is_recorded_voids_the_run() -> None:
    assert not Check(8, [0.81 * RECORDED[8]]).is_void
    assert Check(8, [0.79 * RECORDED[8]]).is_void


def test_one_slow_round_voids_nothing() -> None:
    usual = RECORDED[1]

    assert not Check(1, [usual, 0.1 * usual, usual]).is_void
