"""A rolling restart of API and workers under load."""

from __future__ import annotations

from faults.attempts.steps import Step
from faults.deployment import Deployment, Needs
from faults.fault import Fault
from faults.rolling import replace_all

ROLLING = Needs(apis=2, submit_every_seconds=0.4)


def _inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    replace_all(deployment)


FAULTS = (Fault("rolling-restart", "rolling restart of API and workers", (Step.QUEUED,), _inject, ROLLING),)
