"""SIGKILL to the worker and to what it makes."""

from __future__ import annotations

from faults.attempts.steps import IN_MAKING, Step
from faults.deployment import Deployment
from faults.fault import Fault
from harness.processes import kill


def inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    """Kill the whole family at once."""
    both = deployment.victim.find_family()
    deployment.note_injection(*both)
    kill(both)
    deployment.gates.open()


FAULTS = (Fault("both-killed", "SIGKILL to the worker and the job process", IN_MAKING, inject),)
