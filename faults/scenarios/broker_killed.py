"""SIGKILL to the broker, and its start on the data that it had."""

from __future__ import annotations

from collections import Counter

from faults.attempts.attempt_file import read_lines
from faults.attempts.steps import ALL, Step
from faults.deployment import Deployment
from faults.fault import RECOVERY_OF_BROKER_SECONDS, Fault
from faults.judging.judgement import find_attempts
from harness.wait import pause

_SHORT_SECONDS = 7  # an outage of less than 8 s interrupts nothing
_LATE_SECONDS = 6  # until whoever was interrupted would have begun again
_LONG_SECONDS = 16  # longer than a lease


def _inject_briefly(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    _kill(deployment, _SHORT_SECONDS)
    pause(_LATE_SECONDS)
    attempts = Counter(attempt.task_id for attempt in find_attempts(read_lines(deployment.attempts.path)))
    if interrupted := sum(count > 1 for count in attempts.values()):
        deployment.complaints.append(f"Reports were interrupted by a short outage: {interrupted}.")


def _inject_long(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    _kill(deployment, _LONG_SECONDS)


def _kill(deployment: Deployment, seconds: float) -> None:
    deployment.note_injection()
    deployment.broker.kill_at_once()
    deployment.gates.open()
    pause(seconds)
    deployment.broker.start()
    deployment.note_mend()


FAULTS = (
    Fault(
        "broker-killed",
        "broker killed, back after 7 s, which interrupts nothing",
        ALL,
        _inject_briefly,
        recovery_seconds=RECOVERY_OF_BROKER_SECONDS,
    ),
    Fault(
        "broker-away",
        "broker killed, back after 16 s",
        ALL,
        _inject_long,
        recovery_seconds=RECOVERY_OF_BROKER_SECONDS,
    ),
)
