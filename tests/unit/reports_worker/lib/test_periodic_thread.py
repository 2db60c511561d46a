"""Threads that no error of a step ends, and what is logged and known of those that fail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis.exceptions import ConnectionError as BrokerConnectionError
from redis.exceptions import ResponseError

from harness.wait import wait_until
from reports_worker.health.liveness import Liveness, Part
from reports_worker.lib.periodic_thread import LOGGED_AGAIN_SECONDS, FailureLog, PeriodicThread

DEFECT = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
AWAY = BrokerConnectionError("Error 111 connecting to localhost:6379.")


class Steps:
    """Steps that end as they are told to, the last one again and again."""

    def __init__(self, *ends: object) -> None:
        self._ends = list(ends)
        self.count = 0

    def __call__(self) -> object:
        self.count += 1
        end = self._ends.pop(0) if len(self._ends) > 1 else self._ends[0]
        if isinstance(end, BaseException):
            raise end
        return end


@contextmanager
def run(steps: Steps, every_seconds: float = 0.001) -> Iterator[PeriodicThread]:
    thread = PeriodicThread("steps", every_seconds, steps)
    thread.start()
    yield thread
    thread.stop()


def is_running() -> bool:
    return any(thread.name == "steps" for thread in threading.enumerate())


@pytest.mark.parametrize("error", [DEFECT, AWAY, ResponseError("WRONGTYPE"), MemoryError(), StopIteration()])
def test_no_error_of_a_step_ends_the_thread(error: Exception) -> None:
    steps = Steps(error)

    with run(steps):
        wait_until(lambda: steps.count > 3, what="further steps")
        assert is_running()

    assert not is_running()


def test_a_step_that_has_more_to_do_is_followed_at_once() -> None:
    steps = Steps(True, True, True, False)
    thread = PeriodicThread("steps", 3600, steps)

    assert [thread.take_step() for _ in range(4)] == [True, True, True, False]


def test_the_same_failure_is_logged_once_with_its_traceback_and_again_after_some_minutes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [1000.0]
    failures = FailureLog("cleaner", now=lambda: now[0])

    for _ in range(3):
        failures.note(DEFECT)
    assert [record.getMessage() for record in caplog.records] == ["cleaner: failed, 1 times in a row"]
    assert caplog.records[0].exc_info is not None
    now[0] += LOGGED_AGAIN_SECONDS
    failures.note(DEFECT)
    failures.note(KeyError("another"))

    assert caplog.messages[1:] == ["cleaner: failed, 4 times in a row", "cleaner: failed, 5 times in a row"]


def test_an_outage_takes_one_line_and_is_logged_again_after_a_success(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = FailureLog("cleaner")

    failures.note(AWAY)
    failures.note(AWAY)
    failures.note_success()
    failures.note(AWAY)
    failures.note(ResponseError("WRONGTYPE Operation"))

    line = "cleaner: the broker does not answer: Error 111 connecting to localhost:6379."
    assert caplog.messages == [line, line, "cleaner: the broker refuses a command: WRONGTYPE Operation"]
    assert all(record.levelno == logging.WARNING and not record.exc_info for record in caplog.records)


@pytest.mark.parametrize(("end", "is_alive"), [(None, True), (AWAY, True), (DEFECT, False)])
def test_liveness_sees_a_thread_that_fails_again_and_again_but_no_outage(end: object, is_alive: bool) -> None:
    thread = PeriodicThread("keeper", 3600, Steps(end))
    thread.moved_at = 100.0
    liveness = Liveness(now=lambda: 341.0)
    liveness.watch(Part("lease renewal", lambda: min(thread.moved_at, 341.0), 240.0))

    for _ in range(3):
        thread.take_step()

    assert (thread.moved_at > 100.0) is is_alive
    assert (
        is_alive or liveness.find_fault() == "The lease renewal has not moved for 241 s; 240 s are allowed."
    )


def test_a_thread_that_works_again_has_moved() -> None:
    thread = PeriodicThread("keeper", 3600, Steps(DEFECT, None))
    thread.moved_at = 0.0

    thread.take_step()
    assert thread.moved_at == 0.0
    thread.take_step()

    assert thread.moved_at > 0.0
