"""The making of one report, inside the process that was forked for it."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError

from .catalog import CATALOG
from .contents import Contents
from .guard import Guard, Limits
from .leases import Execution, Leases
from .logs import logfmt
from .model import Completed, Failed, Outcome, Reason, Report
from .report_types import Assignment, ReportType
from .settings import Settings, format_size
from .shared_state import SharedState
from .submissions import check_parameters

log = logging.getLogger(__name__)

PUBLISH_RETRY_SECONDS = 0.5
PROGRESS_EVERY_SECONDS = 1.0
LONGEST_ERROR = 500
LONGEST_STAGE = 200
# It is read with every page of the list.
LARGEST_SUMMARY = 64 * 2**10


@dataclass(frozen=True)
class Making:
    """One execution of one report, from its first line to its end."""

    report: Report
    execution: Execution
    leases: Leases
    settings: Settings
    limits: Limits
    shared: SharedState
    catalog: Mapping[str, ReportType] = field(default_factory=lambda: CATALOG)

    def run(self) -> None:
        """Make the report and publish its end, unless the lease is lost first."""
        self.shared.note_begin()
        begin = time.monotonic()

        def end(failed: Failed) -> None:
            self._publish(failed, begin)
            self.shared.note_end()
            os._exit(os.EX_OK)

        guard = Guard(self.limits, self.shared, on_passed=end, on_lost=self._end_without_lease)
        guard.start()
        try:
            outcome = self._make(begin)
            guard.stop_limits()
            self._publish(outcome, begin)
            self.shared.note_end()
        finally:
            guard.stop()

    def _make(self, begin: float) -> Outcome:
        report_type = self.catalog.get(self.report.type)
        if report_type is None:
            return Failed(
                Reason.UNKNOWN_TYPE,
                f"This worker does not know reports of type {self.report.type!r}. "
                "It may be older than the API: upgrade it, then ask again.",
            )
        if faults := check_parameters(self.report.parameters):
            return Failed(
                Reason.REJECTED,
                f"This worker does not take these parameters: {faults[0].message[:LONGEST_ERROR]} "
                "It may be of another version than the API: bring them to the same, then ask again.",
            )
        try:
            made = report_type.make(self._assignment(begin))
            return _check_summary(dict(made.summary if isinstance(made, Contents) else made))
        except (Exception, SystemExit) as error:  # a report that exits has failed; its worker goes on
            log.exception("the report raised")
            return Failed(Reason.ERROR, f"The report could not be made: {_describe(error)[:LONGEST_ERROR]}")

    def _assignment(self, begin: float) -> Assignment:
        progress = _ProgressWriter(self, begin)
        report = self.report
        return Assignment(report.task_id, report.title, report.parameters, self.settings, progress)

    def _publish(self, outcome: Outcome, begin: float) -> None:
        """Publish until it is done or the lease is lost; how long to wait, worker and guard judge."""
        while True:
            try:
                published = self.leases.publish(self.execution, outcome)
                break
            except RedisError as error:
                log.warning("cannot publish yet: %s", error)
                time.sleep(PUBLISH_RETRY_SECONDS)
            except ValueError as error:
                outcome = Failed(Reason.ERROR, f"What the report says of its end cannot be written: {error}")
        if not published:
            log.warning("task %s: the lease is lost, so this result is dropped", self.execution.task_id)
            return
        self._log("completed" if isinstance(outcome, Completed) else "failed", 100, begin)

    def _end_without_lease(self) -> None:
        log.warning("task %s: its worker renews the lease no more, so this ends", self.execution.task_id)
        os._exit(os.EX_TEMPFAIL)

    def _log(self, stage: str, percent: int, begin: float) -> None:
        log_stage(self.report, stage, percent, time.monotonic() - begin)


def log_stage(report: Report, stage: str, percent: int, seconds: float) -> None:
    """Write the line by which a report is followed through the log."""
    line = {"task_id": report.task_id, "type": report.type, "stage": stage, "percent": percent}
    log.info(logfmt(event="task", **line, seconds=f"{seconds:.2f}"))


class _ProgressWriter:
    """Writes progress when the stage changes, and else once a second at most."""

    def __init__(self, making: Making, begin: float) -> None:
        self._making = making
        self._begin = begin
        self._stage = ""
        self._next_write = 0.0

    def __call__(self, percent: int, stage: str) -> None:
        now = time.monotonic()
        percent, stage = min(max(int(percent), 0), 100), stage[:LONGEST_STAGE]
        if stage == self._stage and now < self._next_write:
            return
        if stage != self._stage:
            self._making._log(stage, percent, self._begin)
        self._stage, self._next_write = stage, now + PROGRESS_EVERY_SECONDS
        try:
            self._making.leases.progress(self._making.execution, percent, stage)
        except RedisError as error:
            log.warning("cannot write progress: %s", error)


def _check_summary(summary: Mapping[str, Any]) -> Outcome:
    try:
        size = len(json.dumps(summary, allow_nan=False))
    except (TypeError, ValueError) as error:
        return Failed(Reason.ERROR, f"The report's result cannot be written as JSON: {error}"[:LONGEST_ERROR])
    if size > LARGEST_SUMMARY:
        return Failed(
            Reason.TOO_LARGE,
            f"The report's result takes {format_size(size)} as JSON, and {format_size(LARGEST_SUMMARY)} are "
            "allowed: it is for figures, not for rows. Ask for less, or tell who wrote this type.",
        )
    return Completed(summary)


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # an error of the user's that cannot even be printed
        return type(error).__name__
