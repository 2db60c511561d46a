"""The state of all instances, as frozen values that threads of the dashboard may read at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """The state of a resource, in Aspire's words."""

    NOT_STARTED = "NotStarted"
    WAITING = "Waiting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    EXITED = "Exited"
    FINISHED = "Finished"
    FAILED_TO_START = "FailedToStart"


class Action(StrEnum):
    """The actions that a person can request."""

    STOP = "stop"
    START = "start"
    RESTART = "restart"


@dataclass(frozen=True)
class Snapshot:
    """The current state of one instance."""

    name: str
    resource: str
    kind: str
    state: State
    health: str
    problem: str = ""
    pid: int | None = None
    exit_code: int | None = None
    restarts: int = 0
    started_at: datetime | None = None
    endpoints: tuple[str, ...] = ()
    command: str = ""
    waiting_for: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    figures: Mapping[str, str] = field(default_factory=dict)
    last_lines: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        return self.state is State.RUNNING and self.health == "Healthy"
