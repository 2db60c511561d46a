"""A rolling upgrade from version N to N+1, with reports in the queue."""

from __future__ import annotations

from faults.attempts.steps import Step
from faults.deployment import Deployment
from faults.fault import Fault
from faults.next_version import FIGURE, make_next_version
from faults.rolling import replace_all
from harness.wait import wait_until

from .rolling_restart import ROLLING

_QUEUED = 20
_SEEN_SECONDS = 40


def _inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    folder = make_next_version(deployment.folder / "next")
    deployment.load.submit(_QUEUED)
    replace_all(deployment, folder=folder)
    wait_until(lambda: _has_both(deployment), seconds=_SEEN_SECONDS, what="reports of both versions")


def _has_both(deployment: Deployment) -> bool:
    results = [report.get("result") or {} for report in deployment.client.list_reports()]
    completed = [result for result in results if result]
    return {FIGURE in result for result in completed} == {True, False}


FAULTS = (
    Fault("rolling-upgrade", "rolling upgrade from version N to N+1", (Step.QUEUED,), _inject, ROLLING),
)
