"""What the supervisor is told by other threads."""

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
    """A prober asked an instance."""

    name: str
    prober: Prober
    health: Health


@dataclass(frozen=True)
class LivenessFound:
    """A prober asked an instance whether it lives; without a `problem` it does."""

    name: str
    prober: LivenessProber
    problem: str
    is_dead: bool


@dataclass(frozen=True)
class Asked:
    """A person wants something of an instance."""

    name: str
    action: Action


@dataclass(frozen=True)
class StopAsked:
    """Everything is to end."""


Message = HealthFound | LivenessFound | Asked | StopAsked
