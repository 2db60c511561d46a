"""SIGSTOP to the broker for longer than a lease lasts: connections stay and nothing answers."""

from __future__ import annotations

from faults.attempts.steps import ALL, Step
from faults.deployment import Deployment
from faults.fault import RECOVERY_OF_BROKER_SECONDS, Fault
from harness.wait import pause

_SECONDS = 15


def _inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    deployment.note_injection()
    deployment.broker.pause()
    deployment.gates.open()
    pause(_SECONDS)
    deployment.broker.resume()
    deployment.note_mend()


FAULTS = (
    Fault(
        "broker-paused",
        "broker held still for 15 s",
        ALL,
        _inject,
        recovery_seconds=RECOVERY_OF_BROKER_SECONDS,
    ),
)
