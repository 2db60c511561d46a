"""The progress of a report, as its job process reports it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from reports_worker.domain.report import Report
from reports_worker.lib.logfmt import logfmt
from reports_worker.queue.leases import Execution, Leases

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
LONGEST_STAGE = 200
MOST_STAGES = 100


@dataclass(frozen=True)
class Stage:
    """A stage of the execution, and how long it took."""

    name: str
    seconds: float


class ProgressWriter:
    """Writes progress when the stage changes, and otherwise once a second at most; one round trip each.

    Also measures the time of each stage. The last progress of a stage may not be written.
    """

    def __init__(self, report: Report, execution: Execution, leases: Leases) -> None:
        self._report = report
        self._execution = execution
        self._leases = leases
        self._begin = time.monotonic()
        self._stage = ""
        self._stage_begin = self._begin
        self._stages: list[Stage] = []
        self._next_write = 0.0

    def begin(self) -> None:
        """Start to measure the time."""
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since the execution began."""
        return time.monotonic() - self._begin

    def __call__(self, percent: int, stage: str, detail: str = "") -> None:
        """Report the current stage; `detail` changes often, such as a count of rows."""
        now = time.monotonic()
        percent, stage = min(max(int(percent), 0), 100), stage[:LONGEST_STAGE]
        if stage == self._stage and now < self._next_write:
            return
        if stage != self._stage:
            self._enter(stage, now)
            log_stage(self._report, stage, percent, now - self._begin)
        self._next_write = now + EVERY_SECONDS
        shown = f"{stage}: {detail}"[:LONGEST_STAGE] if detail else stage
        try:
            self._leases.progress(self._execution, percent, shown)
        except RedisError as error:
            log.warning("cannot write progress: %s", error)

    def end(self) -> Sequence[Stage]:
        """Return the stages with their times, in order."""
        self._enter("", time.monotonic())
        return self._stages

    def _enter(self, stage: str, now: float) -> None:
        if self._stage and len(self._stages) < MOST_STAGES:
            self._stages.append(Stage(self._stage, round(now - self._stage_begin, 3)))
        self._stage, self._stage_begin = stage, now


class ProgressRange:
    """Maps 0 to 100 percent of a part of the execution to the range from `begin` to `end` percent."""

    def __init__(self, writer: ProgressWriter, begin: int, end: int) -> None:
        self._writer, self._begin, self._end = writer, begin, end

    def __call__(self, percent: int, stage: str, detail: str = "") -> None:
        percent = min(max(int(percent), 0), 100)
        self._writer(self._begin + (self._end - self._begin) * percent // 100, stage, detail)


def log_stage(report: Report, stage: str, percent: int, seconds: float) -> None:
    """Log a stage of a report, as a line that programs read."""
    line = {"task_id": report.task_id, "type": report.type, "stage": stage, "percent": percent}
    log.info(logfmt(event="task", **line, seconds=f"{seconds:.2f}"))
