"""SIGKILL to the worker; the kernel then ends what it makes."""

from __future__ import annotations

from faults.attempts.steps import ALL, Step
from faults.deployment import Deployment
from faults.fault import Fault
from harness.processes import kill


def _inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    victim, *making = deployment.victim.find_family()
    deployment.note_injection(victim, *making)
    kill([victim])
    deployment.gates.open()


FAULTS = (
    Fault("worker-killed", "SIGKILL to the worker", ALL, _inject),
    Fault("killed-after-dequeue", "SIGKILL between dequeue and start", (Step.TAKEN,), _inject),
    Fault("killed-at-publish", "SIGKILL at publish", (Step.PUBLISH,), _inject),
)
