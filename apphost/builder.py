"""The builder, with Aspire's names and meanings: https://aspire.dev/get-started/app-host/"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from apphost.model.resources import Endpoint, HttpHealthCheck, Kind, LivenessProbe, Resource

from .application import DistributedApplication
from .errors import ModelError
from .settings import MOST_REPLICAS

_NAME = re.compile(r"[a-z](?:-?[a-z0-9])*", re.ASCII)
LONGEST_NAME = 64
# API 2 s, workers 6 s, then the broker: 10 s for all of them.
BROKER_STOP_SECONDS = 1.5


class ResourceBuilder:
    """Describes one resource; every `with_` returns the builder itself."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    @property
    def name(self) -> str:
        return self.resource.name

    def with_reference(self, source: ResourceBuilder) -> ResourceBuilder:
        """Inject the connection string or the addresses of `source`. This does not order starts."""
        return self._add("references", source.name)

    def wait_for(self, dependency: ResourceBuilder) -> ResourceBuilder:
        """Start only when `dependency` runs and is healthy, with all its replicas."""
        if dependency.name == self.name:
            raise ModelError(f"{self.name} cannot wait for itself.")
        return self._add("waits", dependency.name)

    def with_http_endpoint(
        self, *, port: int | None = None, env: str | None = None, name: str = "http"
    ) -> ResourceBuilder:
        """Serve HTTP on `port`, or on a free one, and tell it by the variable `env`."""
        return self._set(endpoint=Endpoint(name=name, port=port, env=env))

    def with_external_http_endpoints(self) -> ResourceBuilder:
        """Show the endpoint to people as the one to open."""
        if self.resource.endpoint is None:
            raise ModelError(f"{self.name} has no HTTP endpoint: call with_http_endpoint first.")
        return self._set(endpoint=replace(self.resource.endpoint, is_external=True))

    def with_http_health_check(self, *, path: str = "/", status_code: int = 200) -> ResourceBuilder:
        """Count as healthy when GET `path` answers `status_code`."""
        if self.resource.endpoint is None:
            raise ModelError(f"{self.name} has no HTTP endpoint: call with_http_endpoint first.")
        return self._set(health_check=HttpHealthCheck(path, status_code))

    def with_http_probe(
        self,
        probe_type: str,
        *,
        path: str = "/",
        initial_delay_seconds: float = 5.0,
        period_seconds: float = 5.0,
        timeout_seconds: float = 1.0,
        failure_threshold: int = 3,
        env: str | None = None,
    ) -> ResourceBuilder:
        """Kill and start again what does not answer GET `path` with 200, so many times in a row.

        The names and defaults are Aspire's, whose other probe types are not known here. With `env`, each
        process is told by that variable at which port of its own to answer, which is not in Aspire.
        """
        if probe_type != "liveness":
            raise ModelError(f"{self.name} can have a probe of the type 'liveness', not {probe_type!r}.")
        if env is None and self.resource.endpoint is None:
            raise ModelError(f"{self.name} has no HTTP endpoint: call with_http_endpoint first, or give env.")
        if min(period_seconds, timeout_seconds) <= 0 or initial_delay_seconds < 0 or failure_threshold < 1:
            raise ModelError(f"The probe of {self.name} needs times above 0 and a threshold of at least 1.")
        return self._set(
            liveness=LivenessProbe(
                path, env, initial_delay_seconds, period_seconds, timeout_seconds, failure_threshold
            )
        )

    def with_env(self, name: str, value: str) -> ResourceBuilder:
        """Set an environment variable."""
        return self._set(env={**self.resource.env, name: value})

    with_environment = with_env

    def with_args(self, arguments: Iterable[str]) -> ResourceBuilder:
        """Add arguments to the command."""
        return self._set(command=(*self.resource.command, *arguments))

    def with_replicas(self, count: int) -> ResourceBuilder:
        """Run `count` of it, named `<name>-1` and so on. Aspire has this for .NET projects only."""
        if not 1 <= count <= MOST_REPLICAS:
            raise ModelError(f"{self.name} can have 1 to {MOST_REPLICAS} replicas, not {count}.")
        return self._set(replicas=count)

    def with_stop_timeout(self, seconds: float) -> ResourceBuilder:
        """Wait so long after SIGTERM before SIGKILL. Not in Aspire, which always waits 6 s."""
        return self._set(stop_seconds=seconds)

    def with_queue(self, key: str, *, pause_key: str | None = None) -> ResourceBuilder:
        """Show the length of this Redis list among the broker's figures. Not in Aspire.

        While there is a `pause_key`, the queue is paused: what it holds is shown and said.
        """
        return self._set(queue_key=key, pause_key=pause_key)

    def _add(self, field: str, name: str) -> ResourceBuilder:
        names = getattr(self.resource, field)
        return self if name in names else self._set(**{field: (*names, name)})

    def _set(self, **changes: Any) -> ResourceBuilder:
        self.resource = replace(self.resource, **changes)
        return self


class DistributedApplicationBuilder:
    """Collects resources, in the order in which they are added."""

    def __init__(self) -> None:
        self._builders: dict[str, ResourceBuilder] = {}

    def __enter__(self) -> DistributedApplicationBuilder:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open; `with` is Aspire's way to write it."""

    def add_redis(self, name: str, *, port: int | None = None) -> ResourceBuilder:
        """Add a Redis or Valkey server of our own, with a generated password and its data kept."""
        return self._register(Resource(name, Kind.REDIS, port=port, stop_seconds=BROKER_STOP_SECONDS))

    def add_connection_string(self, name: str) -> ResourceBuilder:
        """Add a server that somebody else runs, known by `ConnectionStrings__<name>`."""
        return self._register(Resource(name, Kind.CONNECTION_STRING))

    def add_python_module(self, name: str, app_dir: str, module_name: str) -> ResourceBuilder:
        """Add `python -m <module_name>`, with the interpreter that runs the apphost."""
        command = (sys.executable, "-m", module_name)
        return self._register(Resource(name, Kind.PYTHON_MODULE, command, app_dir))

    def add_executable(
        self, name: str, command: str, working_dir: str, arguments: Iterable[str] = ()
    ) -> ResourceBuilder:
        """Add a program, looked for beside the interpreter (in the virtual environment) before PATH."""
        beside = Path(sys.executable).parent / command
        program = str(beside) if beside.is_file() else command
        return self._register(Resource(name, Kind.EXECUTABLE, (program, *arguments), working_dir))

    def build(self) -> DistributedApplication:
        """Check the model as a whole and hand it out; raise ModelError if it cannot work."""
        resources = tuple(builder.resource for builder in self._builders.values())
        names = [name for resource in resources for name in resource.instance_names]
        for resource in resources:
            for other in (*resource.references, *resource.waits):
                if other not in self._builders:
                    raise ModelError(f"{resource.name} refers to {other!r}, which was not added here.")
        if len(set(names)) < len(names):
            raise ModelError("A replica has the name of another resource: rename one of them.")
        _refuse_circles(resources)
        return DistributedApplication(resources)

    def _register(self, resource: Resource) -> ResourceBuilder:
        if not _NAME.fullmatch(resource.name) or len(resource.name) > LONGEST_NAME:
            raise ModelError(
                f"{resource.name!r} is no resource name: use a-z, 0-9 and single hyphens, from a letter on."
            )
        if resource.name in self._builders:
            raise ModelError(f"There is a resource {resource.name!r} already.")
        self._builders[resource.name] = ResourceBuilder(resource)
        return self._builders[resource.name]


def create_builder() -> DistributedApplicationBuilder:
    """Begin an app model."""
    return DistributedApplicationBuilder()


def _refuse_circles(resources: Iterable[Resource]) -> None:
    waiting = {resource.name: set(resource.waits) for resource in resources}
    while free := {name for name, waits in waiting.items() if not waits}:
        waiting = {name: waits - free for name, waits in waiting.items() if name not in free}
    if waiting:
        raise ModelError(f"These wait for each other in a circle: {', '.join(sorted(waiting))}.")
