"""Runs an app model."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

from apphost.broker.configuration import find_data, write_configuration
from apphost.broker.data import write_server_record
from apphost.broker.programs import Server
from apphost.broker.server import choose_server
from apphost.logs.console import Console, open_console
from apphost.logs.console_log import SecretMask
from apphost.model.connection_strings import BrokerConnection, find_passwords, parse_connection
from apphost.model.environment import inject
from apphost.model.resources import Kind, Resource
from apphost.processes.leftovers import StartedProcess
from apphost.processes.watchdog import Watchdog
from apphost.supervision.health import Health, Probe, http_probe, redis_probe
from apphost.supervision.instance import Instance, Launch
from apphost.supervision.supervisor import Supervisor

from .errors import PortInUseError
from .processes import leftovers, ports
from .processes import private_files as files
from .settings import Settings

ENVIRONMENT_FILE = "environment.json"
PROCESSES_FILE = "processes.json"
TOKEN_FILE = "dashboard-token"  # noqa: S105 - a file's name
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Plan:
    """The addresses and programs of all resources, chosen before the first start."""

    resources: Mapping[str, Resource]
    connections: Mapping[str, BrokerConnection]
    ports: Mapping[str, int]
    servers: Mapping[str, Server] = field(default_factory=dict)


@dataclass(frozen=True)
class DistributedApplication:
    """A built app model; `run` runs it until SIGINT, SIGTERM or SIGHUP."""

    resources: tuple[Resource, ...]

    def run(self, settings: Settings | None = None, environ: Mapping[str, str] | None = None) -> None:
        """Start, supervise and stop all resources. Raises ApphostError if the start is impossible."""
        environ = os.environ if environ is None else environ
        settings = settings or Settings.from_environ(environ)
        with ExitStack() as stack:
            console = stack.enter_context(open_console())
            folder = files.open_folder(settings.folder)
            stack.enter_context(files.lock(folder))
            ended = leftovers.end(leftovers.find_leftovers(folder / PROCESSES_FILE))
            if ended:
                console.say(f"Ended {ended} processes that a previous run had left behind")
            ports.require_free(settings.dashboard_port, "DASHBOARD_PORT")
            plan = make_plan(self.resources, folder, environ, console, stack)
            refuse_shared_ports(plan, settings)
            watchdog = stack.enter_context(Watchdog())
            self._supervise(plan, settings, folder, environ, console, watchdog=watchdog)
            (folder / ENVIRONMENT_FILE).unlink(missing_ok=True)

    def _supervise(
        self,
        plan: Plan,
        settings: Settings,
        folder: Path,
        environ: Mapping[str, str],
        console: Console,
        *,
        watchdog: Watchdog,
    ) -> None:
        token = files.keep_secret(folder / TOKEN_FILE)

        def remember(processes: list[StartedProcess]) -> None:
            watchdog.watch(process.pid for process in processes)
            leftovers.remember(folder / PROCESSES_FILE, processes)

        launches = make_launches(plan, folder, environ)
        supervisor = Supervisor(
            make_instances(plan, launches),
            launches,
            mask=SecretMask(find_secrets(plan, token)),
            console=console,
            remember=remember,
        )
        write_environment(plan, folder)
        for number in STOPPING_SIGNALS:
            signal.signal(number, lambda *_: supervisor.ask_to_stop())
        _start_dashboard(supervisor, settings.dashboard_port, token)
        _show_addresses(plan, settings, token, console)
        supervisor.run()


def make_plan(
    resources: tuple[Resource, ...],
    folder: Path,
    environ: Mapping[str, str],
    console: Console,
    stack: ExitStack,
) -> Plan:
    """Choose the addresses, and reserve them against other apphosts while `stack` is open.

    Raises PortInUseError if a requested port is in use, and NoServerError if no server can be the broker.
    """
    taken = {one.name: _choose_endpoint_port(one) for one in resources if one.endpoint is not None}
    connections, servers = {}, {}
    for resource in resources:
        if resource.kind is Kind.CONNECTION_STRING:
            text = environ.get(f"ConnectionStrings__{resource.name}", "")
            connections[resource.name] = parse_connection(resource.name, text)
        elif resource.kind is Kind.REDIS:
            servers[resource.name] = choose_server(folder, environ.get("PATH"))
            password = files.keep_secret(folder / f"{resource.name}-password")
            port = _choose_broker_port(resource, console, stack)
            connections[resource.name] = BrokerConnection.of_our_own(port, password)
    return Plan({resource.name: resource for resource in resources}, connections, taken, servers)


def refuse_shared_ports(plan: Plan, settings: Settings) -> None:
    """Raise PortInUseError if two resources, or a resource and the dashboard, need the same port."""
    owners = {settings.dashboard_port: "the dashboard"}
    for name, port in plan.ports.items():
        if port in owners:
            cure = "set DASHBOARD_PORT to" if port == settings.dashboard_port else "give one of them"
            raise PortInUseError(
                f"Port {port} is set for {owners[port]} and for {name}: {cure} another port."
            )
        owners[port] = name


def find_secrets(plan: Plan, token: str) -> list[str]:
    """Find the values to mask in all output; passwords also in URL encoding."""
    connections = plan.connections.values()
    passwords = [password for one in connections for password in (one.password, one.sentinel_password)]
    variables = [pair for one in plan.resources.values() for pair in one.env.items()]
    keys = [value for name, value in variables if "SECRET" in name]
    for name, value in variables:
        if name.startswith("ConnectionStrings__"):
            passwords += find_passwords(value)
    return [token, *keys, *passwords, *(quote(password, safe="") for password in passwords)]


def _choose_broker_port(resource: Resource, console: Console, stack: ExitStack) -> int:
    if resource.port is None:
        return ports.find_free()
    reserved = ports.reserve(resource.port)
    if reserved is not None:
        stack.enter_context(reserved)
        if ports.is_free(resource.port):
            return resource.port
    port = ports.find_free()
    console.say(f"Port {resource.port} is in use, so {resource.name} uses port {port}")
    return port


def _choose_endpoint_port(resource: Resource) -> int:
    endpoint = resource.endpoint
    if endpoint is None or endpoint.port is None:
        return ports.find_free()
    ports.require_free(endpoint.port, endpoint.env or "another port in the model")
    return endpoint.port


def make_launches(plan: Plan, folder: Path, environ: Mapping[str, str]) -> dict[str, Launch]:
    """Make the launch of each instance: command, environment and probe."""
    launches = {}
    for resource in plan.resources.values():
        command = resource.command
        if resource.kind is Kind.REDIS:
            connection = plan.connections[resource.name]
            path = write_configuration(folder, port=connection.port, password=connection.password)
            command = (plan.servers[resource.name].program.path, str(path))
        for name in resource.instance_names:
            env = {**environ, **_inject(plan, resource, name)}
            has_probe = resource.health_check is not None or resource.name in plan.connections
            make_probe = partial(_make_probe, plan, resource, folder) if has_probe else None
            launches[name] = Launch(command, env, make_probe, plan.ports.get(resource.name))
    return launches


def _make_probe(plan: Plan, resource: Resource, folder: Path) -> Probe:
    if resource.name in plan.connections:
        url = plan.connections[resource.name].url
        probe = redis_probe(url, queue_key=resource.queue_key, pause_key=resource.pause_key)
        server = plan.servers.get(resource.name)
        return probe if server is None else _record_when_healthy(probe, find_data(folder), server)
    assert resource.health_check is not None  # noqa: S101 - else there is no probe
    return http_probe(plan.ports[resource.name], resource.health_check)


def _record_when_healthy(probe: Probe, data: Path, server: Server) -> Probe:
    """Store the record of the running server beside the broker's data after the first healthy probe."""
    is_recorded = False

    def probe_and_record() -> Health:
        nonlocal is_recorded
        health = probe()
        if health.is_healthy and not is_recorded:
            # If the disk is full, the next probe tries again.
            with suppress(OSError):
                write_server_record(data, server)
                is_recorded = True
        return health

    return probe_and_record


def _inject(plan: Plan, resource: Resource, instance: str) -> dict[str, str]:
    return inject(
        resource, instance, resources=plan.resources, connections=plan.connections, ports=plan.ports
    )


def make_instances(plan: Plan, launches: Mapping[str, Launch]) -> list[Instance]:
    """Make an instance for each resource or replica."""
    return [
        Instance(name, resource, launches[name].make_probe is not None, _describe_endpoints(plan, resource))
        for resource in plan.resources.values()
        for name in resource.instance_names
    ]


def _describe_endpoints(plan: Plan, resource: Resource) -> tuple[str, ...]:
    if resource.name in plan.connections:
        connection = plan.connections[resource.name]
        return (f"tcp://{connection.host}:{connection.port}",)
    return (f"http://localhost:{plan.ports[resource.name]}",) if resource.endpoint else ()


def write_environment(plan: Plan, folder: Path) -> None:
    """Store the injected variables for `python -m apphost env`."""
    variables = {
        resource.name: _inject(plan, resource, f"{resource.name}-by-hand")
        for resource in plan.resources.values()
        if resource.command
    }
    files.write_private(folder / ENVIRONMENT_FILE, json.dumps(variables))


def _start_dashboard(supervisor: Supervisor, port: int, token: str) -> None:
    from .dashboard import start  # noqa: PLC0415 - loading takes 0.2 s, and only this function needs the dashboard

    start(supervisor, port=port, token=token)


def _show_addresses(plan: Plan, settings: Settings, token: str, console: Console) -> None:
    for resource in plan.resources.values():
        for address in _describe_endpoints(plan, resource):
            server = plan.servers.get(resource.name)
            note = f"  ({server} from {server.program.source})" if server else ""
            if resource.endpoint and resource.endpoint.is_external:
                note = "  <- open this"
            console.say(f"{resource.name:<10} {address}{note}")
    console.say(f"{'dashboard':<10} http://localhost:{settings.dashboard_port}/login?t={token}")
