"""What submits must be told while nothing can be accepted: 503, with a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from faults.deployment import Deployment
from harness.client import Answer
from harness.wait import pause


def see_refusals(deployment: Deployment, *, seconds: float) -> None:
    """Let time pass in which every submit is to be refused; complain where one is not as promised."""
    before, accepted = len(deployment.load.refusals), len(deployment.load.copy_accepted())
    pause(seconds)
    refusals = deployment.load.refusals[before:]
    if not refusals:
        deployment.complaints.append("No submit was refused, though nothing could be stored.")
    # One may have been under way when it began.
    if len(deployment.load.copy_accepted()) > accepted + 1:
        deployment.complaints.append("Submits were accepted, though nothing could be stored.")
    deployment.complaints.extend(find_faults(refusals))


def find_faults(refusals: Sequence[Answer]) -> list[str]:
    """Say what is wrong with refusals: each must be a 503 with a sentence."""
    wrong = {answer.status for answer in refusals if answer.status != 503}
    faults = [f"A submit was answered with {status} and not with 503." for status in sorted(wrong)]
    if not all(_has_sentence(answer) for answer in refusals):
        faults.append("A refused submit was not told why in a sentence.")
    return faults


def _has_sentence(answer: Answer) -> bool:
    detail = answer.body.get("detail") if isinstance(answer.body, dict) else None
    return isinstance(detail, str) and detail.endswith((".", "?"))
