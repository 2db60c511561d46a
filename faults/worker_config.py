"""reports_worker.rq_config, with attempts that record themselves and stop at gates: for this suite alone.

An attempt says that it lives every 50 ms, on a thread, from its first line until its process ends: so the
file tells how long it lived, even of one that was killed.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from faults.attempts.attempt_file import AttemptFile, Event
from faults.attempts.gates import pass_gate
from faults.attempts.steps import Step
from reports_worker import ReportContext, ReportType, Settings
from reports_worker.content.report import Contents, Table
from reports_worker.content.rows import Column, GivenRows, Kind, Row
from reports_worker.domain.report import Outcome
from reports_worker.execution.runner import ReportRunner
from reports_worker.queue.leases import Execution, Leases
from reports_worker.report_types.report_type import ReportOutput
from reports_worker.rq_config import DICT_CONFIG, NAME, QUEUES, use
from reports_worker.simulated import make_types
from reports_worker.worker.report_worker import Factories

__all__ = ["DICT_CONFIG", "NAME", "QUEUES"]

_ALIVE_EVERY_SECONDS = 0.05
_ATTEMPTS = AttemptFile(Path(os.environ["FAULTS_ATTEMPTS"]))
_HAS_FILES = "FAULTS_FILES" in os.environ
_ROWS = 2000
_GATES = Path(os.environ["FAULTS_GATES"]) if "FAULTS_GATES" in os.environ else None
# The one execution of this process.
_CURRENT = {"attempt": ""}


class RecordedLeases(Leases):
    """Leases that record what is taken and what is published."""

    def start(self, execution: Execution, *, worker: str, expires: timedelta) -> int:
        _CURRENT["attempt"] = execution.id
        _note(Event.TAKEN, execution.task_id)
        _pass(Step.TAKEN, execution.task_id)
        return super().start(execution, worker=worker, expires=expires)

    def publish(self, execution: Execution, outcome: Outcome) -> bool:
        _pass(Step.PUBLISH, execution.task_id)
        published = super().publish(execution, outcome)
        if published:
            _note(Event.PUBLISHED, execution.task_id)
            _pass(Step.ENDED, execution.task_id)
        return published


class RecordedRunner(ReportRunner):
    """A making that knows which attempt it is."""

    def run(self) -> None:
        _CURRENT["attempt"] = self.execution.id
        super().run()


def _recorded(report_type: ReportType) -> ReportType:
    def make(context: ReportContext) -> ReportOutput:
        task_id = context.task_id
        _note(Event.BEGIN, task_id)
        threading.Thread(target=_tell_life, args=[task_id], daemon=True).start()
        _pass(Step.STARTED, task_id)

        def progress(percent: int, stage: str) -> None:
            if percent >= 50 and not _HAS_FILES:
                _pass(Step.MIDDLE, task_id)
            context.progress(percent, stage)

        figures = report_type.make(replace(context, progress=progress))
        _note(Event.END, task_id)
        return _add_table(figures, task_id) if _HAS_FILES else figures

    return replace(report_type, make=make)


def _add_table(figures: ReportOutput, task_id: str) -> Contents:
    """Make a report with files, which is in its middle amid its rows."""

    def give_rows() -> Iterator[Row]:
        for number in range(_ROWS):
            if number == _ROWS // 2:
                _pass(Step.MIDDLE, task_id)
            yield number, f"row {number}"

    columns = (Column("number", Kind.INTEGER), Column("text", Kind.TEXT))
    rows = GivenRows(columns, give_rows(), batch=_ROWS // 10)
    summary = figures.summary if isinstance(figures, Contents) else figures
    return Contents(summary, tables=[Table("rows", "Rows", rows)])


def _tell_life(task_id: str) -> None:
    while True:
        time.sleep(_ALIVE_EVERY_SECONDS)
        _note(Event.ALIVE, task_id)


def _note(event: Event, task_id: str) -> None:
    _ATTEMPTS.write(event, task_id=task_id, attempt=_CURRENT["attempt"])


def _pass(step: Step, task_id: str) -> None:
    if _GATES is not None:
        pass_gate(_GATES, step, _ATTEMPTS, task_id=task_id, attempt=_CURRENT["attempt"])


if "FAKETIME_TIMESTAMP_FILE" in os.environ:
    # libfaketime refuses each clock_nanosleep() on CLOCK_MONOTONIC while it leaves that clock alone.
    vars(time)["sleep"] = lambda seconds: select.select([], [], [], seconds)
_TYPES = make_types(Settings.from_environ(os.environ).simulated_seconds)
use(
    Factories(
        leases=RecordedLeases,
        runner=partial(RecordedRunner, catalog={name: _recorded(one) for name, one in _TYPES.items()}),
    )
)
