"""The making of one report, inside the process that was forked for it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from redis.exceptions import RedisError

from .catalog import CATALOG
from .leases import Execution, Leases
from .logs import logfmt
from .model import Completed, Failed, Outcome, Reason, Report
from .report_types import Assignment, ReportType
from .settings import Settings

log = logging.getLogger(__name__)

PUBLISH_RETRY_SECONDS = 0.5
PROGRESS_EVERY_SECONDS = 0.25
LONGEST_ERROR = 500


@dataclass(frozen=True)
class Making:
    """One execution of one report, from its first line to its end."""

    report: Report
    execution: Execution
    leases: Leases
    settings: Settings
    timeout: timedelta
    catalog: Mapping[str, ReportType] = field(default_factory=lambda: CATALOG)

    def run(self) -> None:
        """Make the report and publish its end, unless the lease is lost first."""
        begin = time.monotonic()
        self._log("started", 0, begin)
        with _TimeLimit(self.timeout, self._end_for_time):
            outcome = self._make(begin)
        self._publish(outcome, begin)

    def _make(self, begin: float) -> Outcome:
        report_type = self.catalog.get(self.report.type)
        if report_type is None:
            return Failed(
                Reason.UNKNOWN_TYPE,
                f"This worker does not know reports of type {self.report.type!r}. "
                "It may be older than the API: upgrade it, then ask again.",
            )
        try:
            return Completed(dict(report_type.make(self._assignment(begin))))
        except (Exception, SystemExit) as error:  # a report that exits has failed; its worker goes on
            log.exception("the report raised")
            text = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
            return Failed(Reason.ERROR, f"The report could not be made: {text}")

    def _assignment(self, begin: float) -> Assignment:
        progress = _ProgressWriter(self, begin)
        report = self.report
        return Assignment(report.task_id, report.title, report.parameters, self.settings, progress)

    def _publish(self, outcome: Outcome, begin: float) -> None:
        """Publish until it is done or the lease is lost; how long to wait, the worker judges."""
        while True:
            try:
                published = self.leases.publish(self.execution, outcome)
                break
            except RedisError as error:
                log.warning("cannot publish yet: %s", error)
                time.sleep(PUBLISH_RETRY_SECONDS)
            except (TypeError, ValueError) as error:
                outcome = Failed(Reason.ERROR, f"The report's result cannot be written as JSON: {error}")
        if not published:
            log.warning("task %s: the lease is lost, so this result is dropped", self.execution.task_id)
            return
        self._log("completed" if isinstance(outcome, Completed) else "failed", 100, begin)

    def _end_for_time(self) -> None:
        """Called on a thread, since nothing else interrupts code that runs in C."""
        seconds = self.timeout.total_seconds()
        outcome = Failed(
            Reason.TIMEOUT,
            f"The report took longer than the {seconds:g} s that it may run (REPORTS_TIMEOUT). "
            "Ask for less, or have the limit raised.",
        )
        self._publish(outcome, time.monotonic() - seconds)
        os._exit(os.EX_OK)

    def _log(self, stage: str, percent: int, begin: float) -> None:
        seconds = f"{time.monotonic() - begin:.2f}"
        task_id, report_type = self.execution.task_id, self.report.type
        log.info(
            logfmt(
                event="task", task_id=task_id, type=report_type, stage=stage, percent=percent, seconds=seconds
            )
        )


class _ProgressWriter:
    """Writes progress when the stage changes, and else a few times a second at most."""

    def __init__(self, making: Making, begin: float) -> None:
        self._making = making
        self._begin = begin
        self._stage = ""
        self._next_write = 0.0

    def __call__(self, percent: int, stage: str) -> None:
        now = time.monotonic()
        if stage == self._stage and now < self._next_write:
            return
        if stage != self._stage:
            self._making._log(stage, percent, self._begin)
        self._stage, self._next_write = stage, now + PROGRESS_EVERY_SECONDS
        try:
            self._making.leases.progress(self._making.execution, percent, stage)
        except RedisError as error:
            log.warning("cannot write progress: %s", error)


class _TimeLimit:
    """Calls `on_passed` on a thread when the body takes longer than `limit`."""

    def __init__(self, limit: timedelta, on_passed: Callable[[], None]) -> None:
        self._timer = threading.Timer(limit.total_seconds(), on_passed)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
