"""The execution of one report, inside its job process."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from redis.exceptions import RedisError

from reports_worker.catalog.loader import Loaded, UnknownTypeError, load
from reports_worker.content.report import Contents
from reports_worker.domain.report import Completed, Failed, Outcome, Reason, Report
from reports_worker.errors import DefinitionError
from reports_worker.lib import clock
from reports_worker.lib.masking import known_secrets, say
from reports_worker.parameters import check_parameters, read_values
from reports_worker.queue.leases import Execution, Leases
from reports_worker.report_types.report_type import ReportContext, ReportType
from reports_worker.settings.core import Settings
from reports_worker.simulated import make_types

from .failures import LONGEST_ERROR, check_summary, to_failure
from .limits import Limits, LimitWatcher
from .progress import ProgressRange, ProgressWriter, log_stage
from .resources import ExecutionResources
from .shared_state import SharedState

log = logging.getLogger(__name__)

PUBLISH_RETRY_SECONDS = 0.5
# The attempts to publish of a process that can open no file: the process of the next execution can.
MOST_ATTEMPTS_WITHOUT_FILES = 3
_CANNOT_OPEN = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
# The progress at which the type's own code ends and the export begins.
TYPE_PERCENT = 60


@dataclass(frozen=True)
class ReportRunner:
    """Runs one execution of one report, from its first line to its end."""

    report: Report
    execution: Execution
    leases: Leases
    settings: Settings
    limits: Limits
    shared_state: SharedState
    # The types of reports without a warehouse; None for the simulated types.
    catalog: Mapping[str, ReportType] | None = None

    @cached_property
    def _progress(self) -> ProgressWriter:
        return ProgressWriter(self.report, self.execution, self.leases)

    @cached_property
    def _resources(self) -> ExecutionResources:
        return ExecutionResources(self.execution, self.settings.data, self.limits)

    def run(self) -> None:
        """Run the report and publish its outcome, unless the lease is lost first."""
        self.shared_state.note_begin()
        self._progress.begin()
        self._connect()
        watcher = LimitWatcher(
            self.limits, self.shared_state, on_exceeded=self._end_at_limit, on_lost=self._end_unpublished
        )
        watcher.start()
        try:
            try:
                outcome = self._run_type()
            finally:
                # Before the outcome is published: the worker ends a process that continues without a lease.
                self._resources.close()
            watcher.stop_limits()
            self._publish(outcome)
            self.shared_state.note_end()
        finally:
            watcher.stop()

    def _connect(self) -> None:
        """Connect before the type's code runs, which may use up the file descriptors that publishing needs."""
        try:
            self.leases.connect()
        except RedisError as error:
            log.warning("the broker does not answer: %s", error)

    def _run_type(self) -> Outcome:
        """Run the report's type; turn any exception of its code into a failure.

        This includes KeyboardInterrupt and SystemExit: no signal raises them in this process.
        """
        process = os.getpid()
        raised: BaseException | None = None
        try:
            outcome = self._make_outcome()
        except BaseException as error:
            raised, outcome = error, to_failure(error)
        if os.getpid() != process:
            # The type's code has forked, and this is the child, which must not publish.
            os._exit(_exit_code(raised))
        if raised is not None:
            log.error("the report raised", exc_info=raised)
        return outcome

    def _make_outcome(self) -> Outcome:
        try:
            loaded = self._load_type()
        except DefinitionError as error:
            reason = say(error, length=LONGEST_ERROR)
            return Failed(Reason.ERROR, f"The definition of {self.report.type!r} cannot be used: {reason}")
        if loaded is None:
            return Failed(
                Reason.UNKNOWN_TYPE,
                f"This worker does not know reports of type {self.report.type!r}. "
                "The worker may be older than the API: upgrade the worker, then run the report again.",
            )
        report_type = loaded.type
        parameters, faults = check_parameters(
            report_type.parameters,
            self.report.parameters,
            calendar=self.settings.data.calendar(clock.now()),
            is_canonical=True,
        )
        if faults:
            return Failed(
                Reason.REJECTED,
                "This worker does not accept these parameters: "
                f"{known_secrets().cut(faults[0].message, LONGEST_ERROR)} "
                "The worker and the API may have different versions: upgrade the older one, then run the report "
                "again.",
            )
        made = report_type.make(self._make_context(parameters, loaded))
        return self._export(loaded, made) if isinstance(made, Contents) else check_summary(made)

    def _load_type(self) -> Loaded | None:
        """Load the current definition of the report's type; None if there is none."""
        data = self.settings.data
        if data.warehouse is None:
            catalog = self.catalog or make_types(self.settings.simulated_seconds)
            if self.report.type in catalog:
                return Loaded(catalog[self.report.type], "")
        try:
            return load(self.report.type, data)
        except UnknownTypeError:
            return None

    def _make_context(self, parameters: Mapping[str, Any], loaded: Loaded) -> ReportContext:
        has_warehouse = self.settings.data.warehouse is not None
        return ReportContext(
            self.report.task_id,
            self.report.title,
            parameters,
            # Types of `catalog` have no version, and no files to export.
            ProgressRange(self._progress, 0, TYPE_PERCENT) if loaded.version else self._progress,
            timezone=self.settings.data.timezone,
            values=read_values(loaded.type.parameters, parameters),
            open_warehouse=self._resources.open_warehouse if has_warehouse else None,
        )

    def _export(self, loaded: Loaded, contents: Contents) -> Outcome:
        checked = check_summary(contents.summary)
        if isinstance(checked, Failed):
            return checked
        from .export import Exporter  # noqa: PLC0415 - engines, which no worker needs before it forks

        progress = ProgressRange(self._progress, TYPE_PERCENT, 100)
        return Exporter(
            self.report, loaded.type, loaded.version, self._resources, progress, self._progress
        ).run(replace(contents, summary=checked.summary))

    def _publish(self, outcome: Outcome) -> None:
        """Publish, and retry until the lease is lost; the worker and the limit watcher end a retry that takes too long.

        A process that can open no connection ends after a few attempts, and the report is run again.
        """
        attempts = 0
        while True:
            try:
                published = self.leases.publish(self.execution, outcome)
                break
            except RedisError as error:
                log.warning("cannot publish yet: %s", error)
                if shortage := _find_shortage():
                    attempts += 1
                    if attempts == MOST_ATTEMPTS_WITHOUT_FILES:
                        result = outcome.error if isinstance(outcome, Failed) else "completed"
                        self._end_unpublished(
                            f"{shortage}, so the outcome {result!r} cannot be published", code=os.EX_OSERR
                        )
                time.sleep(PUBLISH_RETRY_SECONDS)
            except ValueError as error:
                outcome = Failed(Reason.ERROR, f"The report's outcome cannot be stored: {error}")
        if not published:
            log.warning("task %s: the lease is lost, so the outcome is dropped", self.execution.task_id)
            return
        stage = "completed" if isinstance(outcome, Completed) else "failed"
        log_stage(self.report, stage, 100, self._progress.seconds)

    def _end_at_limit(self, failed: Failed) -> None:
        """Publish that a limit was exceeded, and end the process; called on the limit watcher's thread."""
        self._publish(failed)
        self.shared_state.note_end()
        try:
            self._resources.abort()
        finally:
            os._exit(os.EX_OK)

    def _end_unpublished(self, why: str, *, code: int = os.EX_TEMPFAIL) -> None:
        try:
            log.warning("task %s: the job process ends: %s", self.execution.task_id, why)
            self._resources.abort()
        finally:
            os._exit(code)


def _find_shortage() -> str:
    """Return the reason why this process can open no file; empty if it can."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return (error.strerror or "") if error.errno in _CANNOT_OPEN else ""
    return ""


def _exit_code(raised: BaseException | None) -> int:
    """Return the exit code that Python gives to a process that ends so."""
    if isinstance(raised, SystemExit):
        return raised.code if isinstance(raised.code, int) else int(raised.code is not None)
    return int(raised is not None)
