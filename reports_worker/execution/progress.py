"""How far a report is, as the process that makes it tells."""

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
    """A part of the making, and how long it took."""

    name: str
    seconds: float


class ProgressWriter:
    """Writes progress when the stage changes, and else once a second at most; one round trip each.

    It also takes the time of each stage. What is told last of a stage may stay unwritten.
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
        """Take the time from now on."""
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the report is being made."""
        return time.monotonic() - self._begin

    def __call__(self, percent: int, stage: str, detail: str = "") -> None:
        """Say what is being done now; `detail` changes often, such as how many rows are done."""
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
        """Return the stages with their times; in their order."""
        self._enter("", time.monotonic())
        return self._stages

    def _enter(self, stage: str, now: float) -> None:
        if self._stage and len(self._stages) < MOST_STAGES:
            self._stages.append(Stage(self._stage, round(now - self._stage_begin, 3)))
        self._stage, self._stage_begin = stage, now


class Share:
    """A part of the way, from `begin` to `end` percent, for somebody who counts from 0 to 100."""

    def __init__(self, writer: ProgressWriter, begin: int, end: int) -> None:
        self._writer, self._begin, self._end = writer, begin, end

    def __call__(self, percent: int, stage: str, detail: str = "") -> None:
        percent = min(max(int(percent), 0), 100)
        self._writer(self._begin + (self._end - self._begin) * percent // 100, stage, detail)


def log_stage(report: Report, stage: str, percent: int, seconds: float) -> None:
    """Write the line by which a report is followed through the log."""
    line = {"task_id": report.task_id, "type": report.type, "stage": stage, "percent": percent}
    log.info(logfmt(event="task", **line, seconds=f"{seconds:.2f}"))
