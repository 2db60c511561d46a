"""Durations and sizes as text: `30s`, `2GB`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", re.ASCII)
_LONGEST = timedelta(days=3650)
_SIZE_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(kB|MB|GB|KiB|MiB|GiB)", re.ASCII)


@dataclass(frozen=True)
class SecondsRange:
    """From `low` to `high` seconds, both included."""

    low: float
    high: float


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
    """Write a number of bytes, to a tenth of the unit."""
    for unit in ("GB", "MB", "kB"):
        if size >= _SIZE_UNITS[unit]:
            return f"{size / _SIZE_UNITS[unit]:.1f} {unit}"
    return f"{size} bytes"


def parse_long_duration(text: str) -> timedelta:
    """Parse a duration of at least one second."""
    duration = parse_duration(text)
    if duration < timedelta(seconds=1):
        raise ValueError("give at least 1s")
    return duration


def parse_durations(text: str) -> tuple[timedelta, ...]:
    return tuple(parse_duration(part.strip()) for part in text.split(","))


def parse_range(text: str) -> SecondsRange:
    match = _SECONDS_RANGE.fullmatch(text)
    if not match:
        raise ValueError("give seconds as one number or a range, such as 5 or 5-15")
    low, high = float(match[1]), float(match[2] or match[1])
    if low > high or high > 3600:
        raise ValueError("give the smaller number first, and at most 3600 seconds")
    return SecondsRange(low, high)
