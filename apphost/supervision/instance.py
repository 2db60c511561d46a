"""One instance of a resource; only the supervisor changes it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from apphost.logs.console_log import ConsoleLog, SecretMask
from apphost.model.resources import Resource
from apphost.processes.child_process import ChildProcess

from .health import Health, Probe, Prober
from .liveness import LivenessProber
from .restart_policy import RestartRecord
from .snapshots import Action, Snapshot, State

LAST_LINES = 10


@dataclass(frozen=True)
class Launch:
    """How one instance is started: its command, environment, probe and port."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    make_probe: Callable[[], Probe] | None = None
    port: int | None = None


@dataclass
class Instance:
    """What the supervisor knows of one instance."""

    name: str
    resource: Resource
    has_probe: bool
    endpoints: tuple[str, ...] = ()
    log: ConsoleLog = field(default_factory=ConsoleLog)
    state: State = State.NOT_STARTED
    process: ChildProcess | None = None
    prober: Prober | None = None
    health: Health | None = None
    liveness: LivenessProber | None = None
    liveness_problem: str = ""
    notice: str = ""
    has_finished: bool = False
    is_wanted: bool = True
    deaths: RestartRecord = field(default_factory=RestartRecord)
    restarts: int = 0
    start_at: float = 0.0
    kill_at: float | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    waiting_for: tuple[str, ...] = ()
    unwell_since: float | None = None
    is_reported_unwell: bool = False

    @property
    def is_ready(self) -> bool:
        """Running, and healthy and alive if there are probes."""
        if self.state is not State.RUNNING or self.liveness_problem:
            return False
        return not self.has_probe or (self.health is not None and self.health.is_healthy)

    def describe_health(self) -> str:
        """In Aspire's words; empty while the instance does not run."""
        if self.state is not State.RUNNING:
            return ""
        return "Healthy" if self.is_ready else "Unhealthy"

    def allowed_actions(self) -> tuple[Action, ...]:
        if self.resource.is_external:
            return ()
        return (Action.STOP, Action.RESTART) if self.is_wanted else (Action.START,)

    def take_snapshot(self, mask: SecretMask) -> Snapshot:
        has_ended = self.state in (State.EXITED, State.FAILED_TO_START)
        return Snapshot(
            name=self.name,
            resource=self.resource.name,
            kind=self.resource.kind,
            state=self.state,
            health=self.describe_health(),
            problem=mask((self.health.problem if self.health else "") or self.liveness_problem),
            pid=self.process.pid if self.process else None,
            exit_code=self.exit_code,
            restarts=self.restarts,
            started_at=self.started_at,
            endpoints=self.endpoints,
            command=mask(shlex.join(self.resource.command)),
            waiting_for=self.waiting_for,
            actions=self.allowed_actions(),
            figures=self.health.figures if self.health else {},
            last_lines=tuple(line.text for line in self.log.read(limit=LAST_LINES)) if has_ended else (),
        )
