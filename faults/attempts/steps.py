"""The steps of a report's life at which a fault can strike."""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """Where the report stands that the fault is to hit.

    All but `QUEUED` are gates: places at which the victim worker stops until the suite lets it go on.
    """

    QUEUED = "queued"
    TAKEN = "taken"  # off the queue, and the lease not yet taken
    STARTED = "started"  # the report type's first line
    MIDDLE = "middle"
    PUBLISH = "publish"  # the result is there, and its publishing has not begun
    ENDED = "ended"  # published; the job process has not yet ended


ALL = tuple(Step)
IN_WORKER = tuple(step for step in Step if step is not Step.QUEUED)
IN_MAKING = (Step.STARTED, Step.MIDDLE, Step.PUBLISH, Step.ENDED)
