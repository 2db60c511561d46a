"""Messages of other threads to the supervisor."""

from __future__ import annotations

from dataclasses import dataclass

from .health import Health, Prober
from .liveness import LivenessProber
from .snapshots import Action


@dataclass(frozen=True)
class Line:
    """An instance wrote a line."""

    name: str
    text: str


@dataclass(frozen=True)
class HealthFound:
    """The result of a health probe."""

    name: str
    prober: Prober
    health: Health


@dataclass(frozen=True)
class LivenessFound:
    """The result of a liveness probe; the process lives if `problem` is empty."""

    name: str
    prober: LivenessProber
    problem: str
    is_dead: bool


@dataclass(frozen=True)
class Asked:
    """A person requests an action on an instance."""

    name: str
    action: Action


@dataclass(frozen=True)
class StopAsked:
    """A request to stop everything."""


Message = HealthFound | LivenessFound | Asked | StopAsked
