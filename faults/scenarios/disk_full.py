"""A really full file system under the broker's append-only file."""

from __future__ import annotations

from faults.attempts.steps import ALL, Step
from faults.deployment import Deployment, Needs
from faults.fault import RECOVERY_OF_BROKER_SECONDS, Fault
from faults.judging.refusals import see_refusals
from harness.small_disk import fill
from harness.wait import wait_until

_SECONDS = 14
_NOTICE_SECONDS = 10


def _inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    """It counts as struck when the broker has noticed: until then there is room in what it holds."""
    filler = fill(deployment.broker.folder)
    wait_until(lambda: not deployment.broker.is_writable(), seconds=_NOTICE_SECONDS,
               what="the broker's notice of the full file system")  # fmt: skip
    deployment.note_injection()
    deployment.gates.open()
    see_refusals(deployment, seconds=_SECONDS)
    filler.unlink()
    deployment.note_mend()


FAULTS = (
    Fault(
        "disk-full",
        "file system of the broker full for 14 s",
        ALL,
        _inject,
        Needs(small_disk=True),
        recovery_seconds=RECOVERY_OF_BROKER_SECONDS,
    ),
)
