"""SIGTERM to the worker: it finishes what it makes, or hands it back after its grace."""

from __future__ import annotations

import signal

from faults.attempts.steps import ALL, IN_MAKING, Step
from faults.deployment import Deployment, Needs
from faults.fault import Fault
from harness.wait import wait_until

_NEEDS = Needs(grace="3s")
_STOP_SECONDS = 15


def _inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    _terminate(deployment)
    deployment.gates.open()


def _inject_beyond_grace(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    """Hold the report until the worker has given it back, and ended."""
    victim = _terminate(deployment)
    wait_until(lambda: deployment.victim.pid != victim or not deployment.victim.is_running,
               seconds=_STOP_SECONDS, what="the worker's end after its grace")  # fmt: skip
    deployment.gates.open()


def _terminate(deployment: Deployment) -> int:
    family = deployment.victim.find_family()
    deployment.note_injection(*family)
    deployment.victim.send(signal.SIGTERM)
    return int(family[0].pid)


FAULTS = (
    Fault("worker-terminated", "SIGTERM to the worker", ALL, _inject, _NEEDS),
    Fault(
        "grace-over",
        "SIGTERM to the worker, whose report takes longer than the grace",
        tuple(step for step in IN_MAKING if step is not Step.ENDED),
        _inject_beyond_grace,
        _NEEDS,
    ),
)
