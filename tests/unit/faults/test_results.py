"""What a scenario came to, and which promises it broke."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from faults.judging.refusals import find_faults
from faults.judging.results import Result
from faults.run import count_doubles, count_lost, find_completed
from harness.client import Answer

GOOD = Result(
    fault="worker-killed",
    step="middle",
    accepted=20,
    lost=0,
    published_twice=0,
    overlap_seconds=0.9,
    recovery_seconds=12.5,
)


def test_a_result_that_keeps_every_promise_breaks_none() -> None:
    assert GOOD.find_broken(recovery_limit=15) == []


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (replace(GOOD, lost=2), "2 of 20 accepted reports were lost."),
        (replace(GOOD, published_twice=1), "1 reports were published twice or exist twice."),
        (replace(GOOD, overlap_seconds=5.3), "Two attempts at a report overlapped for 5.3 s."),
        (replace(GOOD, recovery_seconds=19), "Work went on too late: 19.0 s, and 15 s are allowed."),
        (replace(GOOD, recovery_seconds=math.inf), "Work never went on."),
        (replace(GOOD, accepted=0), "No report was accepted."),
        (replace(GOOD, complaints=["It was odd."]), "It was odd."),
    ],
)
def test_a_broken_promise_is_told_in_a_sentence(result: Result, sentence: str) -> None:
    assert result.find_broken(recovery_limit=15) == [sentence]


def test_only_what_is_completed_under_its_own_id_is_not_lost() -> None:
    reports = [
        {"task_id": status, "status": status, "title": status}
        for status in ("completed", "failed", "pending")
    ]

    assert find_completed(reports) == {"completed"}
    assert count_lost({"completed": "completed"}, reports) == 0
    assert count_lost({"failed": "failed", "pending": "pending", "gone": "gone"}, reports) == 3
    assert count_lost({"completed": "completed", "another": "completed"}, reports) == 1


def test_a_submission_that_became_two_reports_is_found() -> None:
    reports = [{"title": title} for title in ("Fault suite 1", "Fault suite 2", "Fault suite 2")]

    assert count_doubles(reports) == 1


def test_a_refusal_with_503_and_a_sentence_is_as_promised() -> None:
    assert find_faults([Answer(503, b'{"detail": "Try again in a moment."}')]) == []


def test_a_refusal_with_another_status_or_without_a_sentence_is_not() -> None:
    assert find_faults([Answer(500, b'{"detail": "Something."}'), Answer(503, b"{}")]) == [
        "A submit was answered with 500 and not with 503.",
        "A refused submit was not told why in a sentence.",
    ]
