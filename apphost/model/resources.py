"""The app model: what there is to run, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a resource is, in Aspire's words where it has one."""

    REDIS = "Redis"
    CONNECTION_STRING = "ConnectionString"
    PYTHON_MODULE = "PythonModule"
    EXECUTABLE = "Executable"


@dataclass(frozen=True)
class Endpoint:
    """An HTTP endpoint on loopback. `port` None takes a free one; `env` names the variable that tells it."""

    name: str = "http"
    port: int | None = None
    env: str | None = None
    is_external: bool = False


@dataclass(frozen=True)
class HttpHealthCheck:
    """Healthy when GET `path` answers `status_code`."""

    path: str = "/"
    status_code: int = 200


@dataclass(frozen=True)
class LivenessProbe:
    """Lives while GET `path` answers 200; what fails `failure_threshold` times in a row is started again.

    `env` names the variable that tells each process a port of its own for it; without one, the HTTP endpoint
    is asked.
    """

    path: str = "/"
    env: str | None = None
    initial_delay_seconds: float = 5.0
    period_seconds: float = 5.0
    timeout_seconds: float = 1.0
    failure_threshold: int = 3


@dataclass(frozen=True)
class Resource:
    """One thing to run, before it runs. `references` and `waits` hold names of others."""

    name: str
    kind: Kind
    command: tuple[str, ...] = ()
    working_dir: str = "."
    env: Mapping[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    endpoint: Endpoint | None = None
    health_check: HttpHealthCheck | None = None
    liveness: LivenessProbe | None = None
    replicas: int | None = None
    stop_seconds: float = 2.0
    port: int | None = None
    queue_key: str | None = None
    pause_key: str | None = None

    @property
    def instance_names(self) -> tuple[str, ...]:
        """The names of what runs: the resource's own, or one for each replica beneath it."""
        if self.replicas is None:
            return (self.name,)
        return tuple(f"{self.name}-{number}" for number in range(1, self.replicas + 1))

    @property
    def is_external(self) -> bool:
        """Whether somebody else runs it: then it is watched, and never started or stopped."""
        return self.kind is Kind.CONNECTION_STRING
