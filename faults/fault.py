"""What a fault is, and what is promised under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from faults.attempts.steps import Step

from .deployment import Deployment, Needs

RECOVERY_SECONDS = 15.0
RECOVERY_OF_BROKER_SECONDS = 30.0
# One renewal interval, and a fifth for a busy machine.
OVERLAP_SECONDS = 1.2

Injection = Callable[[Deployment, Step], None]


@dataclass(frozen=True)
class Fault:
    """One row of the page.

    `strike` finds a report held at the step, does its harm, writes down when, opens the gates and undoes
    what can be undone.
    """

    name: str
    title: str
    steps: Sequence[Step]
    inject: Injection
    needs: Needs = field(default_factory=Needs)
    recovery_seconds: float = RECOVERY_SECONDS
