"""The clock of one worker jumps by an hour, while the others' do not."""

from __future__ import annotations

from faults.attempts.steps import IN_WORKER, Step
from faults.deployment import Deployment, Needs
from faults.fault import Fault, Injection
from faults.shifted_clock import NOTICED_SECONDS
from harness.wait import pause

_HOUR = 3600
_SECONDS = 15  # longer than a lease
_NEEDS = Needs(shifted_clock=True)


def _inject_with(seconds: int) -> Injection:
    def inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
        deployment.note_injection(*deployment.victim.find_family())
        deployment.clock.shift(seconds)
        pause(NOTICED_SECONDS)
        deployment.gates.open()
        pause(_SECONDS)

    return inject


FAULTS = (
    Fault("clock-ahead", "clock of one worker jumps an hour ahead", IN_WORKER, _inject_with(_HOUR), _NEEDS),
    Fault("clock-behind", "clock of one worker jumps an hour back", IN_WORKER, _inject_with(-_HOUR), _NEEDS),
)
