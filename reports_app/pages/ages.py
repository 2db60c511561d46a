"""Ages of times, for people."""

from __future__ import annotations

from datetime import datetime

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def describe_age(time: datetime, *, now: datetime) -> str:
    """Format how long ago `time` was, in the largest unit that fits: "3 minutes ago"."""
    seconds = (now - time).total_seconds()
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return f"{int(seconds)} s ago" if seconds >= 1 else "just now"
