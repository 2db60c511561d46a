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
from .settings import MAX_REPLICAS

_NAME = re.compile(r"[a-z](?:-?[a-z0-9])*", re.ASCII)
MAX_NAME_LENGTH = 64
# The API takes 2 s and workers take 6 s before the broker stops: 10 s in total.
BROKER_STOP_SECONDS = 1.5


class ResourceBuilder:
    """Describes one resource; every `with_` method returns the builder itself."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    @property
    def name(self) -> str:
        return self.resource.name

    def with_reference(self, source: ResourceBuilder) -> ResourceBuilder:
        """Inject the connection string or the addresses of `source`. The order of starts stays as it is."""
        return self._add("references", source.name)

    def wait_for(self, dependency: ResourceBuilder) -> ResourceBuilder:
        """Start when `dependency`, with all its replicas, runs and is healthy."""
        if dependency.name == self.name:
            raise ModelError(f"{self.name} cannot wait for itself.")
        return self._add("waits", dependency.name)

    def with_http_endpoint(
        self, *, port: int | None = None, env: str | None = None, name: str = "http"
    ) -> ResourceBuilder:
        """Serve HTTP on `port` or on a free port, and inject the port as the variable `env`."""
        return self._set(endpoint=Endpoint(name=name, port=port, env=env))

    def with_external_http_endpoints(self) -> ResourceBuilder:
        """Show the endpoint on the console as the one to open."""
        if self.resource.endpoint is None:
            raise ModelError(f"{self.name} has no HTTP endpoint: call with_http_endpoint first.")
        return self._set(endpoint=replace(self.resource.endpoint, is_external=True))

    def with_http_health_check(self, *, path: str = "/", status_code: int = 200) -> ResourceBuilder:
        """The resource is healthy if GET `path` returns `status_code`."""
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
        """Restart a process after `failure_threshold` consecutive failures of GET `path` to return 200.

        Names and defaults are Aspire's; Aspire's other probe types are not supported. With `env`, each process gets
        a port of its own for the probe in that variable. Aspire has no `env`.
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
        """Run `count` replicas, named `<name>-1` and so on. In Aspire, only .NET projects have replicas."""
        if not 1 <= count <= MAX_REPLICAS:
            raise ModelError(f"{self.name} can have 1 to {MAX_REPLICAS} replicas, not {count}.")
        return self._set(replicas=count)

    def with_stop_timeout(self, seconds: float) -> ResourceBuilder:
        """Set the time between SIGTERM and SIGKILL. Aspire always waits 6 s."""
        return self._set(stop_seconds=seconds)

    def with_queue(self, key: str, *, pause_key: str | None = None) -> ResourceBuilder:
        """Show the length of this Redis list among the broker's figures. Aspire has no such method.

        The queue is paused while the key `pause_key` exists: the value of the key is shown as the pause.
        """
        return self._set(queue_key=key, pause_key=pause_key)

    def _add(self, field: str, name: str) -> ResourceBuilder:
        names = getattr(self.resource, field)
        return self if name in names else self._set(**{field: (*names, name)})

    def _set(self, **changes: Any) -> ResourceBuilder:
        self.resource = replace(self.resource, **changes)
        return self


class DistributedApplicationBuilder:
    """Collects resources in the order of their addition."""

    def __init__(self) -> None:
        self._builders: dict[str, ResourceBuilder] = {}

    def __enter__(self) -> DistributedApplicationBuilder:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: the builder holds no resource. The `with` statement is Aspire's notation."""

    def add_redis(self, name: str, *, port: int | None = None) -> ResourceBuilder:
        """Add a Redis or Valkey server that the apphost runs, with a generated password and persistent data."""
        return self._register(Resource(name, Kind.REDIS, port=port, stop_seconds=BROKER_STOP_SECONDS))

    def add_connection_string(self, name: str) -> ResourceBuilder:
        """Add an external server whose address is in `ConnectionStrings__<name>`."""
        return self._register(Resource(name, Kind.CONNECTION_STRING))

    def add_python_module(self, name: str, app_dir: str, module_name: str) -> ResourceBuilder:
        """Add `python -m <module_name>` with the apphost's interpreter."""
        command = (sys.executable, "-m", module_name)
        return self._register(Resource(name, Kind.PYTHON_MODULE, command, app_dir))

    def add_executable(
        self, name: str, command: str, working_dir: str, arguments: Iterable[str] = ()
    ) -> ResourceBuilder:
        """Add a program, found beside the interpreter (in the virtual environment) or on PATH."""
        beside = Path(sys.executable).parent / command
        program = str(beside) if beside.is_file() else command
        return self._register(Resource(name, Kind.EXECUTABLE, (program, *arguments), working_dir))

    def build(self) -> DistributedApplication:
        """Validate the model and return it. Raises ModelError if the model is inconsistent."""
        resources = tuple(builder.resource for builder in self._builders.values())
        names = [name for resource in resources for name in resource.instance_names]
        for resource in resources:
            for other in (*resource.references, *resource.waits):
                if other not in self._builders:
                    raise ModelError(
                        f"{resource.name} refers to {other!r}: add this resource to the builder."
                    )
        if len(set(names)) < len(names):
            raise ModelError("A replica has the name of another resource: rename one of them.")
        _refuse_cycles(resources)
        return DistributedApplication(resources)

    def _register(self, resource: Resource) -> ResourceBuilder:
        if not _NAME.fullmatch(resource.name) or len(resource.name) > MAX_NAME_LENGTH:
            raise ModelError(
                f"{resource.name!r} is not a valid resource name: use a letter, then a-z, 0-9 and single hyphens."
            )
        if resource.name in self._builders:
            raise ModelError(f"There is already a resource {resource.name!r}: choose another name.")
        self._builders[resource.name] = ResourceBuilder(resource)
        return self._builders[resource.name]


def create_builder() -> DistributedApplicationBuilder:
    """Begin an app model."""
    return DistributedApplicationBuilder()


def _refuse_cycles(resources: Iterable[Resource]) -> None:
    waiting = {resource.name: set(resource.waits) for resource in resources}
    while free := {name for name, waits in waiting.items() if not waits}:
        waiting = {name: waits - free for name, waits in waiting.items() if name not in free}
    if waiting:
        raise ModelError(f"These resources wait for each other in a cycle: {', '.join(sorted(waiting))}.")
