"""What a making process watches while it works."""

from __future__ import annotations

import errno
import threading
from dataclasses import dataclass, field
from datetime import timedelta

import psutil
import pytest

from harness.wait import wait_until
from reports_worker.domain.report import Failed, Reason
from reports_worker.execution.limits import EVERY_SECONDS, STALE_AFTER_SECONDS, Limits, LimitWatcher
from reports_worker.execution.shared_state import SharedState
from reports_worker.queue.lease_timing import LOST_AFTER_SECONDS
from reports_worker.queue.leases import LEASE

WIDE = Limits(time=timedelta(hours=1), memory=10**15)


class Over(BaseException):
    """Ends the guard's thread, as the end of its process would."""


@dataclass
class Watched:
    """What a guard has called."""

    shared: SharedState = field(default_factory=SharedState)
    passed: list[Failed] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def guard(self, limits: Limits) -> LimitWatcher:
        guard = LimitWatcher(limits, self.shared, on_passed=self._pass, on_lost=self._lose)
        guard.start()
        return guard

    def _pass(self, failed: Failed) -> None:
        self.passed.append(failed)
        raise Over

    def _lose(self, why: str) -> None:
        self.lost.append(why)
        raise Over


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    return Watched()


def test_a_report_that_takes_too_long_is_failed_with_what_was_allowed(watched: Watched) -> None:
    watched.guard(Limits(time=timedelta(seconds=0.1), memory=10**15))

    failed = wait_until(lambda: watched.passed, what="the limit")[0]

    assert failed.reason is Reason.TIMEOUT
    assert failed.error.startswith("The report took longer than the 0.1 s that it may run (REPORTS_TIMEOUT).")


def test_a_report_that_takes_too_much_memory_is_failed_with_the_numbers(watched: Watched) -> None:
    watched.guard(Limits(time=timedelta(hours=1), memory=10**6))

    failed = wait_until(lambda: watched.passed, what="the limit")[0]

    assert failed.reason is Reason.MEMORY
    assert " MB of memory, and 1.0 MB are allowed (REPORTS_MEMORY)." in failed.error


def test_no_limit_is_passed_once_the_figures_are_there(watched: Watched) -> None:
    guard = watched.guard(Limits(time=timedelta(seconds=EVERY_SECONDS / 2), memory=1))
    guard.stop_limits()
    watched.shared.renewed_at -= STALE_AFTER_SECONDS - 2 * EVERY_SECONDS

    # Some rounds later the lease is lost, and still no limit is.
    wait_until(lambda: watched.lost, what="the loss")
    assert watched.passed == []


def test_a_lease_that_is_not_renewed_any_more_is_lost_before_another_can_take_it(watched: Watched) -> None:
    watched.guard(WIDE)
    watched.shared.renewed_at -= STALE_AFTER_SECONDS

    assert wait_until(lambda: watched.lost, what="the loss") == ["its worker renews the lease no more"]
    assert LOST_AFTER_SECONDS < STALE_AFTER_SECONDS < LEASE.total_seconds()
    assert watched.passed == []


def test_a_memory_that_cannot_be_measured_stops_no_watch_and_is_logged_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    measured: list[None] = []

    def fail() -> None:
        measured.append(None)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(psutil, "Process", fail)
    watched.guard(Limits(time=timedelta(seconds=3 * EVERY_SECONDS), memory=10**15))

    assert wait_until(lambda: watched.passed, what="the limit")[0].reason is Reason.TIMEOUT
    assert len(measured) > 1
    assert caplog.text.count("Traceback") == 1


def test_a_making_that_nobody_wants_any_more_ends_by_itself(watched: Watched) -> None:
    watched.guard(WIDE)

    watched.shared.note_unwanted()

    assert wait_until(lambda: watched.lost, what="the end") == ["it is cancelled"]
