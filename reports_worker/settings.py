"""The settings that API and workers share, read once from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from . import callback_urls
from .broker_addresses import LOCAL_BROKER, BrokerAddress, find_broker_address
from .data_settings import DataSettings
from .environment import parse_boolean, read
from .errors import SettingsError
from .webhooks import parse_secret

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", re.ASCII)
_LONGEST = timedelta(days=3650)
_SIZE_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(kB|MB|GB|KiB|MiB|GiB)", re.ASCII)
# A making process that does nothing yet has about 30 MB of its own.
_LEAST_MEMORY, _MOST_MEMORY = 100 * 10**6, 10**15
_MOST_REPLICAS = 16


@dataclass(frozen=True)
class SecondsRange:
    """From `low` to `high` seconds, both included."""

    low: float
    high: float


@dataclass(frozen=True)
class CallbackSettings:
    """Who may be told of a report's end, and how; off while `hosts` is empty.

    `delays` are what lies between one attempt and the next; the first is made at once.
    """

    hosts: tuple[str, ...] = ()
    secret: bytes = field(default=b"", repr=False)
    allow_private: bool = False
    delays: tuple[timedelta, ...] = tuple(
        timedelta(seconds=delay) for delay in (5, 30, 120, 600, 3600, 21600)
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> CallbackSettings:
        """Read the settings; raise SettingsError on the first bad one, and on hosts without a secret."""
        settings = cls(
            hosts=read(environ, callback_urls.VARIABLE, callback_urls.parse_host_patterns, cls.hosts),
            secret=_read_callback_secret(environ),
            allow_private=read(environ, "REPORTS_CALLBACK_PRIVATE", parse_boolean, cls.allow_private),
            delays=read(environ, "REPORTS_CALLBACK_DELAYS", _parse_durations, cls.delays),
        )
        if settings.hosts and not settings.secret:
            raise SettingsError(
                f"{callback_urls.VARIABLE} is set and REPORTS_CALLBACK_SECRET is not: callbacks are signed "
                "with it. Set it, the same for API and workers, to what this prints: "
                "python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
            )
        return settings


@dataclass(frozen=True)
class ProbeSettings:
    """Where a worker can be asked whether it lives; nowhere while there is no port."""

    port: int | None = None
    host: str = "127.0.0.1"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ProbeSettings:
        """Read the settings; raise SettingsError on the first bad one."""
        return cls(
            port=read(environ, "REPORTS_PROBE_PORT", _parse_port, cls.port),
            host=read(environ, "REPORTS_PROBE_HOST", str, cls.host).strip("[]"),
        )


@dataclass(frozen=True)
class Settings:
    """What both packages need to know before they start."""

    broker: BrokerAddress = field(default_factory=lambda: LOCAL_BROKER)
    grace: timedelta = timedelta(seconds=30)
    simulated_seconds: SecondsRange = SecondsRange(5, 15)
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
            simulated_seconds=read(environ, "REPORTS_SIMULATED_SECONDS", _parse_range, cls.simulated_seconds),
            retention=read(environ, "REPORTS_RETENTION", parse_long_duration, cls.retention),
            timeout=read(environ, "REPORTS_TIMEOUT", parse_long_duration, cls.timeout),
            memory=read(environ, "REPORTS_MEMORY", _parse_memory, cls.memory),
            callbacks=CallbackSettings.from_environ(environ),
            probe=ProbeSettings.from_environ(environ),
            broker_replicas=read(environ, "REPORTS_BROKER_REPLICAS", _parse_count, cls.broker_replicas),
            data=DataSettings.from_environ(environ),
        )


def parse_duration(text: str) -> timedelta:
    """Parse `250ms`, `30s`, `15m`, `1h` or `30d`."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError("give a number with ms, s, m, h or d, such as 30s")
    seconds = float(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"give at most {_LONGEST.days}d")
    return timedelta(seconds=seconds)


def parse_size(text: str) -> int:
    """Parse `800MB`, `2GB` or `1.5GiB` into bytes."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"give a number with {', '.join(_SIZE_UNITS)}, such as 2GB")
    return int(float(match[1]) * _SIZE_UNITS[match[2]])


def format_size(size: int) -> str:
    """Say how much bytes are, to a tenth of the unit."""
    for unit in ("GB", "MB", "kB"):
        if size >= _SIZE_UNITS[unit]:
            return f"{size / _SIZE_UNITS[unit]:.1f} {unit}"
    return f"{size} bytes"


def _parse_memory(text: str) -> int:
    size = parse_size(text)
    if not _LEAST_MEMORY <= size <= _MOST_MEMORY:
        raise ValueError(f"give at least {_LEAST_MEMORY // 10**6}MB, and no more than any machine has")
    return size


def parse_long_duration(text: str) -> timedelta:
    """Parse the same, of a second at least."""
    duration = parse_duration(text)
    if duration < timedelta(seconds=1):
        raise ValueError("give at least 1s")
    return duration


def _parse_durations(text: str) -> tuple[timedelta, ...]:
    return tuple(parse_duration(part.strip()) for part in text.split(","))


def _parse_port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) < 65536:
        raise ValueError("give a whole number from 1 to 65535")
    return int(text)


def _parse_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > _MOST_REPLICAS:
        raise ValueError(f"give a whole number from 0 to {_MOST_REPLICAS}")
    return int(text)


def _read_callback_secret(environ: Mapping[str, str]) -> bytes:
    text = environ.get("REPORTS_CALLBACK_SECRET", "").strip()
    try:
        return parse_secret(text) if text else b""
    except ValueError as error:
        # The value is a secret, so the sentence does not repeat it.
        raise SettingsError(f"REPORTS_CALLBACK_SECRET is not valid: {error}") from error


def _parse_range(text: str) -> SecondsRange:
    match = _SECONDS_RANGE.fullmatch(text)
    if not match:
        raise ValueError("give seconds as one number or a range, such as 5 or 5-15")
    low, high = float(match[1]), float(match[2] or match[1])
    if low > high or high > 3600:
        raise ValueError("give the smaller number first, and at most 3600 seconds")
    return SecondsRange(low, high)
