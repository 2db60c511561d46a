"""The broker has no memory left: it answers, reads, and refuses to store."""

from __future__ import annotations

from faults.attempts.steps import ALL, Step
from faults.deployment import Deployment
from faults.fault import RECOVERY_OF_BROKER_SECONDS, Fault
from faults.judging.refusals import see_refusals

_LIMIT = 1024  # bytes: far below what it uses
_SECONDS = 14


def _inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    deployment.note_injection()
    deployment.broker.limit_memory(_LIMIT)
    deployment.gates.open()
    see_refusals(deployment, seconds=_SECONDS)
    deployment.broker.limit_memory(0)
    deployment.note_mend()


FAULTS = (
    Fault(
        "memory-full",
        "broker out of memory for 14 s",
        ALL,
        _inject,
        recovery_seconds=RECOVERY_OF_BROKER_SECONDS,
    ),
)
