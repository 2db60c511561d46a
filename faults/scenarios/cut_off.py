"""One worker cut off from the broker by a proxy, while the others reach it."""

from __future__ import annotations

from faults.attempts.steps import IN_WORKER, Step
from faults.deployment import Deployment, Needs
from faults.fault import Fault, Injection
from harness.proxies.interrupting import Mode
from harness.wait import pause

_NEEDS = Needs(proxied_victim=True)


def _inject_with(mode: Mode, seconds: float) -> Injection:
    def inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
        deployment.note_injection(*deployment.victim.find_family())
        deployment.proxy.mode = mode
        deployment.gates.open()
        pause(seconds)
        deployment.proxy.mode = Mode.PASS
        deployment.note_mend()

    return inject


def _cut_off(name: str, title: str, mode: Mode, seconds: float) -> Fault:
    return Fault(name, title, IN_WORKER, _inject_with(mode, seconds), _NEEDS)


FAULTS = (
    _cut_off("cut-off-drop", "one worker: nothing passes for 16 s", Mode.DROP, 16),
    _cut_off("cut-off-delay", "one worker: all is 0.2 to 1.4 s late for 12 s", Mode.DELAY, 12),
    _cut_off("cut-off-reset", "one worker: connections reset for 5 s", Mode.RESET, 5),
    _cut_off("cut-off-lost-reply", "one worker: every reply lost for 5 s", Mode.LOSE_REPLIES, 5),
)
