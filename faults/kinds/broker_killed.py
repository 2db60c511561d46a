"""SIGKILL to the broker, and its start on the data that it had."""

from __future__ import annotations

from faults.deployment import Deployment
from faults.fault import RECOVERY_OF_BROKER_SECONDS, Fault
from faults.steps import ALL, Step
from faults.waiting import pause

_SHORT_SECONDS = 3
_LONG_SECONDS = 16  # longer than a lease


def _strike_briefly(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    _kill(deployment, _SHORT_SECONDS)


def _strike_long(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    _kill(deployment, _LONG_SECONDS)


def _kill(deployment: Deployment, seconds: float) -> None:
    deployment.note_strike()
    deployment.broker.kill()
    deployment.gates.open()
    pause(seconds)
    deployment.broker.start()
    deployment.note_mend()


FAULTS = (
    Fault(
        "broker-killed",
        "broker killed, back after 3 s",
        ALL,
        _strike_briefly,
        recovery_seconds=RECOVERY_OF_BROKER_SECONDS,
    ),
    Fault(
        "broker-away",
        "broker killed, back after 16 s",
        ALL,
        _strike_long,
        recovery_seconds=RECOVERY_OF_BROKER_SECONDS,
    ),
)
