"""SIGKILL to the process that makes a report."""

from __future__ import annotations

from faults.attempts.steps import IN_MAKING, Step
from faults.deployment import Deployment
from faults.fault import Fault
from harness.processes import kill


def _inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    making = deployment.find_job_process()
    deployment.note_injection(*making)
    kill(making)
    deployment.gates.open()


FAULTS = (Fault("making-killed", "SIGKILL to the job process", IN_MAKING, _inject),)
