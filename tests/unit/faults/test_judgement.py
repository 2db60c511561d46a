"""What the suite makes of the attempt file."""

from __future__ import annotations

import math

import pytest

from faults.attempts.attempt_file import Event, Line
from faults.judging.judgement import (
    count_published,
    find_attempts,
    find_hits,
    find_longest_overlap,
    find_recoveries,
)


def attempt(
    name: str, *times: float, task_id: str = "a", pid: int = 1, published: float | None = None
) -> list[Line]:
    """An attempt that begins at the first time and shows life at the others."""
    begin, *alive = times
    lines = [Line(Event.BEGIN, begin, task_id, name, pid)]
    lines += [Line(Event.ALIVE, at, task_id, name, pid) for at in alive]
    if published is not None:
        lines.append(Line(Event.PUBLISHED, published, task_id, name, pid))
    return lines


def in_order(*lines: Line) -> list[Line]:
    return sorted(lines, key=lambda line: line.at)


def test_an_attempt_lives_from_its_begin_to_its_last_sign_of_life() -> None:
    (found,) = find_attempts(attempt("1", 1.0, 1.5, 2.0, published=2.5))

    assert (found.begin, found.last) == (1.0, 2.5)


def test_attempts_one_after_the_other_do_not_overlap() -> None:
    lines = in_order(*attempt("1", 1.0, 2.0), *attempt("2", 3.0, 4.0, pid=2))

    assert find_longest_overlap(lines) == 0


def test_an_older_attempt_that_lives_on_overlaps_with_the_younger_one() -> None:
    lines = in_order(*attempt("1", 1.0, 2.0, 5.5), *attempt("2", 3.0, 4.0, pid=2))

    assert find_longest_overlap(lines) == 2.5


def test_attempts_at_different_reports_do_not_overlap() -> None:
    lines = in_order(*attempt("1", 1.0, 5.0), *attempt("2", 2.0, 4.0, task_id="b", pid=2))

    assert find_longest_overlap(lines) == 0


def test_a_stopped_attempt_does_not_live_until_it_is_continued() -> None:
    stop = [Line(Event.STOPPED, 2.0, pid=1), Line(Event.CONTINUED, 9.0, pid=1)]
    lines = in_order(*attempt("1", 1.0, 9.5), *attempt("2", 4.0, 6.0, pid=2), *stop)

    assert find_longest_overlap(lines) == 0.5


def test_silence_of_an_attempt_that_nobody_stopped_counts_as_life() -> None:
    lines = in_order(*attempt("1", 1.0, 9.5), *attempt("2", 4.0, 6.0, pid=2))

    assert find_longest_overlap(lines) == 5.5


def test_a_stop_of_another_process_changes_nothing() -> None:
    stop = [Line(Event.STOPPED, 2.0, pid=3), Line(Event.CONTINUED, 9.0, pid=3)]
    lines = in_order(*attempt("1", 1.0, 9.5), *attempt("2", 4.0, 6.0, pid=2), *stop)

    assert find_longest_overlap(lines) == 5.5


def test_each_publishing_is_counted() -> None:
    lines = in_order(*attempt("1", 1.0, published=2.0), *attempt("2", 3.0, pid=2, published=4.0))

    assert count_published(lines) == {"a": 2}


STRUCK = Line(Event.STRUCK, 10.0, pids=[1])


def test_the_report_in_the_hands_of_a_struck_process_is_hit() -> None:
    lines = in_order(*attempt("1", 9.0), *attempt("2", 9.0, task_id="b", pid=2))

    assert find_hits(lines, STRUCK) == {"a"}


def test_a_report_that_a_worker_has_taken_and_not_begun_is_hit() -> None:
    assert find_hits([Line(Event.TAKEN, 9.0, "a", "1", pid=1)], STRUCK) == {"a"}


def test_a_report_that_was_published_before_is_not_hit() -> None:
    assert find_hits(attempt("1", 8.0, published=9.0), STRUCK) == set()


def test_a_fault_that_names_no_process_hits_all_that_is_in_hand() -> None:
    lines = in_order(*attempt("1", 9.0), *attempt("2", 9.0, task_id="b", pid=2))

    assert find_hits(lines, Line(Event.STRUCK, 10.0)) == {"a", "b"}


def test_recovery_lasts_until_the_report_that_was_hit_is_begun_again() -> None:
    others = attempt("2", 11.0, task_id="b", pid=2)
    again = attempt("3", 22.0, pid=3)

    assert list(find_recoveries([*attempt("1", 9.0), STRUCK, *others, *again], completed=())) == [12.0]


def test_recovery_lasts_until_the_report_that_was_hit_is_published_after_all() -> None:
    lines = in_order(*attempt("1", 9.0, published=14.0), STRUCK, *attempt("2", 11.0, task_id="b", pid=2))

    assert list(find_recoveries(lines, completed=())) == [4.0]


def test_a_fault_that_hits_no_report_is_over_with_the_next_begin() -> None:
    assert list(find_recoveries([STRUCK, *attempt("1", 10.5, pid=2)], completed=())) == [0.5]


def test_work_that_never_goes_on_never_recovers() -> None:
    assert list(find_recoveries([*attempt("1", 9.0), STRUCK], completed=())) == [math.inf]


@pytest.mark.parametrize(("completed", "seconds"), [({"a"}, 0.0), ({"a", "b"}, math.inf)])
def test_a_fault_after_the_last_begin_is_over_at_once(completed: set[str], seconds: float) -> None:
    lines = [*attempt("1", 8.0, published=9.0), STRUCK]

    assert list(find_recoveries(lines, completed=completed)) == [seconds]


def test_recovery_from_a_fault_of_the_broker_counts_from_its_return() -> None:
    struck, mended = Line(Event.STRUCK, 10.0), Line(Event.MENDED, 20.0)
    lines = [*attempt("1", 9.0), struck, mended, *attempt("2", 21.5, pid=2)]

    assert list(find_recoveries(lines, completed=())) == [1.5]


def test_recovery_of_one_worker_counts_from_the_fault_though_it_ends() -> None:
    lines = [*attempt("1", 9.0), STRUCK, *attempt("2", 21.5, pid=2), Line(Event.MENDED, 22.0)]

    assert list(find_recoveries(lines, completed=())) == [11.5]


def test_each_fault_has_a_recovery_of_its_own() -> None:
    later = Line(Event.STRUCK, 30.0, pids=[2])
    lines = [STRUCK, *attempt("1", 11.0, pid=2), later, *attempt("2", 32.0, pid=3)]

    assert list(find_recoveries(lines, completed=())) == [1.0, 2.0]


@pytest.mark.parametrize(("completed", "seconds"), [({"a"}, 1.0), (set(), math.inf)])
def test_a_report_that_was_published_unnoticed_has_recovered(completed: set[str], seconds: float) -> None:
    lines = [*attempt("1", 9.0), STRUCK, *attempt("2", 11.0, task_id="b", pid=2)]

    assert list(find_recoveries(lines, completed=completed)) == [seconds]
