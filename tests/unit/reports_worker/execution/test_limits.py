"""The limit watcher of a job process."""

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
    """Ends the watcher's thread, as the end of the process would."""


@dataclass
class Watched:
    """The calls of a watcher."""

    shared_state: SharedState = field(default_factory=SharedState)
    exceeded: list[Failed] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def start(self, limits: Limits) -> LimitWatcher:
        watcher = LimitWatcher(limits, self.shared_state, on_exceeded=self._exceed, on_lost=self._lose)
        watcher.start()
        return watcher

    def _exceed(self, failed: Failed) -> None:
        self.exceeded.append(failed)
        raise Over

    def _lose(self, why: str) -> None:
        self.lost.append(why)
        raise Over


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    return Watched()


def test_a_report_that_takes_too_long_fails_with_the_limit(watched: Watched) -> None:
    watched.start(Limits(time=timedelta(seconds=0.1), memory=10**15))

    failed = wait_until(lambda: watched.exceeded, what="the limit")[0]

    assert failed.reason is Reason.TIMEOUT
    assert failed.error.startswith("The report took longer than the 0.1 s that it may run (REPORTS_TIMEOUT).")


def test_a_report_that_takes_too_much_memory_fails_with_the_numbers(watched: Watched) -> None:
    watched.start(Limits(time=timedelta(hours=1), memory=10**6))

    failed = wait_until(lambda: watched.exceeded, what="the limit")[0]

    assert failed.reason is Reason.MEMORY
    assert " MB of memory, and 1.0 MB are allowed (REPORTS_MEMORY)." in failed.error


def test_no_limit_is_checked_once_the_outcome_is_known(watched: Watched) -> None:
    watcher = watched.start(Limits(time=timedelta(seconds=EVERY_SECONDS / 2), memory=1))
    watcher.stop_limits()
    watched.shared_state.renewed_at -= STALE_AFTER_SECONDS - 2 * EVERY_SECONDS

    # The lease is lost some checks later, and still no limit is exceeded.
    wait_until(lambda: watched.lost, what="the loss")
    assert watched.exceeded == []


def test_a_lease_that_is_no_longer_renewed_is_lost_before_another_worker_can_acquire_it(
    watched: Watched,
) -> None:
    watched.start(WIDE)
    watched.shared_state.renewed_at -= STALE_AFTER_SECONDS

    assert wait_until(lambda: watched.lost, what="the loss") == ["the worker no longer renews the lease"]
    assert LOST_AFTER_SECONDS < STALE_AFTER_SECONDS < LEASE.total_seconds()
    assert watched.exceeded == []


def test_memory_that_cannot_be_measured_does_not_stop_the_watcher_and_is_logged_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    measured: list[None] = []

    def fail() -> None:
        measured.append(None)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(psutil, "Process", fail)
    watched.start(Limits(time=timedelta(seconds=3 * EVERY_SECONDS), memory=10**15))

    assert wait_until(lambda: watched.exceeded, what="the limit")[0].reason is Reason.TIMEOUT
    assert len(measured) > 1
    assert caplog.text.count("Traceback") == 1


def test_a_cancelled_execution_ends_by_itself(watched: Watched) -> None:
    watched.start(WIDE)

    watched.shared_state.note_cancelled()

    assert wait_until(lambda: watched.lost, what="the end") == ["the report is cancelled"]
