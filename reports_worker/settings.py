"""The settings that API and workers share, read once from the environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from .broker import LOCAL_BROKER, BrokerAddress, find_broker_address
from .errors import SettingsError

T = TypeVar("T")

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", re.ASCII)
_LONGEST = timedelta(days=3650)


@dataclass(frozen=True)
class SecondsRange:
    """From `low` to `high` seconds, both included."""

    low: float
    high: float


@dataclass(frozen=True)
class Settings:
    """What both packages need to know before they start."""

    broker: BrokerAddress = field(default_factory=lambda: LOCAL_BROKER)
    grace: timedelta = timedelta(seconds=30)
    simulated_seconds: SecondsRange = SecondsRange(5, 15)
    retention: timedelta = timedelta(days=30)
    timeout: timedelta = timedelta(hours=1)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; raise SettingsError, naming variable and value, on the first bad one."""
        return cls(
            broker=find_broker_address(environ),
            grace=read(environ, "REPORTS_GRACE", parse_duration, cls.grace),
            simulated_seconds=read(environ, "REPORTS_SIMULATED_SECONDS", _parse_range, cls.simulated_seconds),
            retention=read(environ, "REPORTS_RETENTION", _parse_long_duration, cls.retention),
            timeout=read(environ, "REPORTS_TIMEOUT", _parse_long_duration, cls.timeout),
        )


def read(environ: Mapping[str, str], name: str, parse: Callable[[str], T], default: T) -> T:
    """Parse one variable; an empty one counts as not set."""
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{name}={text!r} is not valid: {error}") from error


def parse_duration(text: str) -> timedelta:
    """Parse `250ms`, `30s`, `15m`, `1h` or `30d`."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError("give a number with ms, s, m, h or d, such as 30s")
    seconds = float(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"give at most {_LONGEST.days}d")
    return timedelta(seconds=seconds)


def _parse_long_duration(text: str) -> timedelta:
    duration = parse_duration(text)
    if duration < timedelta(seconds=1):
        raise ValueError("give at least 1s")
    return duration


def _parse_range(text: str) -> SecondsRange:
    match = _SECONDS_RANGE.fullmatch(text)
    if not match:
        raise ValueError("give seconds as one number or a range, such as 5 or 5-15")
    low, high = float(match[1]), float(match[2] or match[1])
    if low > high or high > 3600:
        raise ValueError("give the smaller number first, and at most 3600 seconds")
    return SecondsRange(low, high)
