"""The app model: resources as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a resource, with Aspire's names."""

    REDIS = "Redis"
    CONNECTION_STRING = "ConnectionString"
    PYTHON_MODULE = "PythonModule"
    EXECUTABLE = "Executable"


@dataclass(frozen=True)
class Endpoint:
    """An HTTP endpoint on loopback. `port` None chooses a free port; `env` is the variable for the port."""

    name: str = "http"
    port: int | None = None
    env: str | None = None
    is_external: bool = False


@dataclass(frozen=True)
class HttpHealthCheck:
    """The resource is healthy if GET `path` returns `status_code`."""

    path: str = "/"
    status_code: int = 200


@dataclass(frozen=True)
class LivenessProbe:
    """The process is alive if GET `path` returns 200; `failure_threshold` consecutive failures cause a restart.

    `env` is the variable that gives each process a port of its own for the probe. Without it, the probe uses the
    HTTP endpoint.
    """

    path: str = "/"
    env: str | None = None
    initial_delay_seconds: float = 5.0
    period_seconds: float = 5.0
    timeout_seconds: float = 1.0
    failure_threshold: int = 3


@dataclass(frozen=True)
class Resource:
    """One resource of the model. `references` and `waits` contain names of other resources."""

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
        """The names of the instances: the resource's own name, or one name for each replica."""
        if self.replicas is None:
            return (self.name,)
        return tuple(f"{self.name}-{number}" for number in range(1, self.replicas + 1))

    @property
    def is_external(self) -> bool:
        """Whether the resource runs outside of the apphost: then it is probed, but never started or stopped."""
        return self.kind is Kind.CONNECTION_STRING
