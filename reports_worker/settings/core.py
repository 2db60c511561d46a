"""The settings that API and workers share, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from reports_worker.broker.address import LOCAL_BROKER, BrokerAddress, find_broker_address
from reports_worker.lib.environ import read
from reports_worker.lib.units import (
    SecondsRange,
    parse_duration,
    parse_long_duration,
    parse_range,
)

from .data import DataSettings
from .parsing import parse_memory, parse_replicas
from .probe import ProbeSettings
from .webhooks import CallbackSettings

SIMULATED_SECONDS = SecondsRange(5, 15)


@dataclass(frozen=True)
class Settings:
    """The settings of both packages."""

    broker: BrokerAddress = field(default_factory=lambda: LOCAL_BROKER)
    grace: timedelta = timedelta(seconds=30)
    simulated_seconds: SecondsRange = SIMULATED_SECONDS
    retention: timedelta = timedelta(days=30)
    timeout: timedelta = timedelta(hours=1)
    memory: int = 2 * 10**9
    callbacks: CallbackSettings = field(default_factory=CallbackSettings)
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    broker_replicas: int = 0
    data: DataSettings = field(default_factory=DataSettings)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; raise SettingsError, naming variable and value, on the first bad one."""
        return cls(
            broker=find_broker_address(environ),
            grace=read(environ, "REPORTS_GRACE", parse_duration, cls.grace),
            simulated_seconds=read(environ, "REPORTS_SIMULATED_SECONDS", parse_range, cls.simulated_seconds),
            retention=read(environ, "REPORTS_RETENTION", parse_long_duration, cls.retention),
            timeout=read(environ, "REPORTS_TIMEOUT", parse_long_duration, cls.timeout),
            memory=read(environ, "REPORTS_MEMORY", parse_memory, cls.memory),
            callbacks=CallbackSettings.from_environ(environ),
            probe=ProbeSettings.from_environ(environ),
            broker_replicas=read(environ, "REPORTS_BROKER_REPLICAS", parse_replicas, cls.broker_replicas),
            data=DataSettings.from_environ(environ),
        )
