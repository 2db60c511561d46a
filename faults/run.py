"""One scenario: the product under load, one fault at one step, and the judgement afterwards."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.attempts.attempt_file import Event, Line, read_lines
from faults.attempts.steps import Step
from faults.judging.judgement import count_published, find_longest_overlap, find_recoveries
from faults.judging.kept_files import find_complaints
from faults.judging.results import Result
from harness.client import FailoverClient
from harness.errors import DeadlineError
from harness.wait import pause, wait_until

from .deployment import Deployment, deploy
from .fault import Fault
from .load import TITLE

_WARM_UP_SECONDS = 40
_AFTER_SECONDS = 2
_PATIENCE_SECONDS = 10
_SETTLE_SECONDS = 90
_LOOK_EVERY_SECONDS = 0.5
# Longer than any recovery that is allowed.
_STILL_SECONDS = 60
_ENDED = ("completed", "failed")


@dataclass(frozen=True)
class Scenario:
    """A fault at a step."""

    fault: Fault
    step: Step
    seed: int

    @property
    def name(self) -> str:
        return f"{self.fault.name} ({self.step})"


def run_scenario(scenario: Scenario, folder: Path) -> Result:
    """Play one scenario; what it leaves stands in `folder`."""
    fault, step = scenario.fault, scenario.step
    with deploy(fault.needs, folder, seed=scenario.seed) as deployment:
        deployment.load.start()
        wait_until(lambda: _has_published(deployment), seconds=_WARM_UP_SECONDS, what="a first report")
        deployment.bring_to(step)
        fault.inject(deployment, step)
        deployment.gates.open()
        _see_work_go_on(deployment, fault.recovery_seconds)
        return judge(scenario.fault.name, step, deployment)


def _has_published(deployment: Deployment) -> bool:
    return any(line.event is Event.PUBLISHED for line in read_lines(deployment.attempts.path))


def _see_work_go_on(deployment: Deployment, limit: float) -> None:
    """Keep submitting until work has gone on after the fault, and a little longer."""
    with suppress(DeadlineError):
        wait_until(
            lambda: _has_gone_on(deployment),
            seconds=limit + _PATIENCE_SECONDS,
            what="work to go on",
            every_seconds=_LOOK_EVERY_SECONDS,
        )
    pause(_AFTER_SECONDS)


def _has_gone_on(deployment: Deployment) -> bool:
    try:
        completed = find_completed(_list_all(deployment.client))
    except ConnectionError:
        return False
    recoveries = find_recoveries(read_lines(deployment.attempts.path), completed=completed)
    return not any(math.isinf(seconds) for seconds in recoveries)


def judge(
    fault: str,
    step: str,
    deployment: Deployment,
    *,
    seconds: float = _SETTLE_SECONDS,
    every_seconds: float = _LOOK_EVERY_SECONDS,
) -> Result:
    """Wait until every accepted report has ended, as long as that may take, and say what became of them."""
    load = deployment.load
    load.stop()
    with suppress(DeadlineError):
        wait_until(lambda: load.has_ended, seconds=seconds, what="the last submission's acceptance")
    load.abandon()
    with suppress(DeadlineError):
        wait_until(
            lambda: _has_settled(deployment) or _is_still(deployment.attempts.path),
            seconds=seconds,
            what="the end of every report",
            every_seconds=every_seconds,
        )
    reports = _list_all(deployment.client)
    if deployment.needs.files:
        with deployment.broker.client() as redis:
            deployment.complaints += find_complaints(deployment.artifacts, redis, reports)
    return _judge(fault, step, deployment, reports, read_lines(deployment.attempts.path))


def _judge(
    fault: str, step: str, deployment: Deployment, reports: Sequence[Any], lines: Sequence[Line]
) -> Result:
    accepted = deployment.load.copy_accepted()
    completed = find_completed(reports)
    twice = [task_id for task_id, count in count_published(lines).items() if count > 1]
    return Result(
        fault=fault,
        step=step,
        accepted=len(accepted),
        lost=count_lost(accepted, reports),
        published_twice=len(twice) + count_doubles(reports),
        overlap_seconds=round(find_longest_overlap(lines), 2),
        recovery_seconds=round(max(find_recoveries(lines, completed=completed), default=0.0), 2),
        complaints=tuple(deployment.complaints),
    )


def find_completed(reports: Sequence[Any]) -> set[str]:
    return {report["task_id"] for report in reports if report["status"] == "completed"}


def count_lost(accepted: Mapping[str, str], reports: Sequence[Any]) -> int:
    """Count submissions, ids by their titles, that are no completed report of that id and that title."""
    completed = {report["task_id"]: report["title"] for report in reports if report["status"] == "completed"}
    return sum(completed.get(task_id) != title for title, task_id in accepted.items())


def count_doubles(reports: Sequence[Any]) -> int:
    """Count submissions that became more than one report: each has a title of its own."""
    titles = Counter(report["title"] for report in reports if report["title"].startswith(TITLE))
    return sum(count - 1 for count in titles.values())


def _has_settled(deployment: Deployment) -> bool:
    try:
        reports = _list_all(deployment.client)
    except (ConnectionError, KeyError, TypeError):
        return False
    ended = {report["task_id"] for report in reports if report["status"] in _ENDED}
    return ended.issuperset(deployment.load.copy_accepted().values())


def _is_still(attempts: Path) -> bool:
    """Tell whether no attempt has shown life for so long that none will: what waits now is lost."""
    return time.time() - attempts.stat().st_mtime > _STILL_SECONDS


def _list_all(client: FailoverClient) -> Sequence[Any]:
    return list(client.list_reports())
