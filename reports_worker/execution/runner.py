"""The making of one report, inside the process that was forked for it."""

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

from .failures import LONGEST_ERROR, check_summary, explain
from .limits import Limits, LimitWatcher
from .progress import ProgressWriter, Share, log_stage
from .resources import ExecutionResources
from .shared_state import SharedState

log = logging.getLogger(__name__)

PUBLISH_RETRY_SECONDS = 0.5
# How often a process tries to publish that can open nothing itself: another one of this report can.
MOST_TRIES_WITHOUT_FILES = 3
_NOTHING_OPENS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
# How much of the way is the type's own, where files are written after it.
SHARE_OF_TYPE = 60


@dataclass(frozen=True)
class ReportRunner:
    """One execution of one report, from its first line to its end."""

    report: Report
    execution: Execution
    leases: Leases
    settings: Settings
    limits: Limits
    shared: SharedState
    # Of reports without a warehouse; those of the product where it is None.
    catalog: Mapping[str, ReportType] | None = None

    @cached_property
    def _progress(self) -> ProgressWriter:
        return ProgressWriter(self.report, self.execution, self.leases)

    @cached_property
    def _resources(self) -> ExecutionResources:
        return ExecutionResources(self.execution, self.settings.data, self.limits)

    def run(self) -> None:
        """Make the report and publish its end, unless the lease is lost first."""
        self.shared.note_begin()
        self._progress.begin()
        self._connect()
        guard = LimitWatcher(
            self.limits, self.shared, on_passed=self._end_at_limit, on_lost=self._end_unpublished
        )
        guard.start()
        try:
            try:
                outcome = self._attempt()
            finally:
                # Before its end is told: its worker ends what goes on without a lease.
                self._resources.close()
            guard.stop_limits()
            self._publish(outcome)
            self.shared.note_end()
        finally:
            guard.stop()

    def _connect(self) -> None:
        """Connect before the type's code runs: it may use up what a process may open, and its end is to be told."""
        try:
            self.leases.connect()
        except RedisError as error:
            log.warning("the broker does not answer: %s", error)

    def _attempt(self) -> Outcome:
        """Make the report. Whatever a type's code raises has failed it, and raises no further.

        That includes what ends a process elsewhere, such as KeyboardInterrupt: no signal raises it here.
        """
        process = os.getpid()
        raised: BaseException | None = None
        try:
            outcome = self._make()
        except BaseException as error:
            raised, outcome = error, explain(error)
        if os.getpid() != process:
            # The type has forked, and this is the child, which has no report to end.
            os._exit(_exit_code(raised))
        if raised is not None:
            log.error("the report raised", exc_info=raised)
        return outcome

    def _make(self) -> Outcome:
        try:
            loaded = self._load_type()
        except DefinitionError as error:
            words = say(error, length=LONGEST_ERROR)
            return Failed(Reason.ERROR, f"The definition of {self.report.type!r} cannot be used: {words}")
        if loaded is None:
            return Failed(
                Reason.UNKNOWN_TYPE,
                f"This worker does not know reports of type {self.report.type!r}. "
                "It may be older than the API: upgrade it, then ask again.",
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
                "This worker does not take these parameters: "
                f"{known_secrets().cut(faults[0].message, LONGEST_ERROR)} "
                "It may be of another version than the API: bring them to the same, then ask again.",
            )
        made = report_type.make(self._make_context(parameters, loaded))
        return self._produce(loaded, made) if isinstance(made, Contents) else check_summary(made)

    def _load_type(self) -> Loaded | None:
        """Load the definition as its file is now; None if there is none of this name."""
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
            # Those of the catalog leave no files.
            Share(self._progress, 0, SHARE_OF_TYPE) if loaded.version else self._progress,
            timezone=self.settings.data.timezone,
            values=read_values(loaded.type.parameters, parameters),
            open_warehouse=self._resources.open_warehouse if has_warehouse else None,
        )

    def _produce(self, loaded: Loaded, contents: Contents) -> Outcome:
        checked = check_summary(contents.summary)
        if isinstance(checked, Failed):
            return checked
        from .export import Exporter  # noqa: PLC0415 - engines, which no worker needs before it forks

        progress = Share(self._progress, SHARE_OF_TYPE, 100)
        return Exporter(
            self.report, loaded.type, loaded.version, self._resources, progress, self._progress
        ).run(replace(contents, summary=checked.summary))

    def _publish(self, outcome: Outcome) -> None:
        """Publish until it is done or the lease is lost; how long to wait, worker and guard judge.

        Where it is this process that can open no connection, waiting does not help: it ends, and another follows.
        """
        tries = 0
        while True:
            try:
                published = self.leases.publish(self.execution, outcome)
                break
            except RedisError as error:
                log.warning("cannot publish yet: %s", error)
                if shortage := _find_shortage():
                    tries += 1
                    if tries == MOST_TRIES_WITHOUT_FILES:
                        words = outcome.error if isinstance(outcome, Failed) else "the report is made"
                        self._end_unpublished(f"{shortage}, and {words!r} cannot be told", code=os.EX_OSERR)
                time.sleep(PUBLISH_RETRY_SECONDS)
            except ValueError as error:
                outcome = Failed(Reason.ERROR, f"What the report says of its end cannot be written: {error}")
        if not published:
            log.warning("task %s: the lease is lost, so this result is dropped", self.execution.task_id)
            return
        stage = "completed" if isinstance(outcome, Completed) else "failed"
        log_stage(self.report, stage, 100, self._progress.seconds)

    def _end_at_limit(self, failed: Failed) -> None:
        """Publish that a limit was passed, and end; from the guard's thread, whatever the other one does."""
        self._publish(failed)
        self.shared.note_end()
        try:
            self._resources.abort()
        finally:
            os._exit(os.EX_OK)

    def _end_unpublished(self, why: str, *, code: int = os.EX_TEMPFAIL) -> None:
        try:
            log.warning("task %s: %s, so this ends", self.execution.task_id, why)
            self._resources.abort()
        finally:
            os._exit(code)


def _find_shortage() -> str:
    """Say why this process can open nothing at all; nothing if it can."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return (error.strerror or "") if error.errno in _NOTHING_OPENS else ""
    return ""


def _exit_code(raised: BaseException | None) -> int:
    """The exit code of a process that a type has forked, as Python itself has it."""
    if isinstance(raised, SystemExit):
        return raised.code if isinstance(raised.code, int) else int(raised.code is not None)
    return int(raised is not None)
