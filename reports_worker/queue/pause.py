"""The pause of the queue in Redis: RQ's own suspension, with its start and its end.

Workers check it before each report, and the script that starts a report checks again: a worker that waited for a
report before the pause returns the report to the queue.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from redis import Redis

from reports_worker.broker import keys
from reports_worker.broker.errors import unless_wrong_type
from reports_worker.domain.report import Pause
from reports_worker.lib import clock

_WORDS = re.compile(r"since (\S+)(?: until (\S+))?", re.ASCII)


def pause(connection: Redis, duration: timedelta | None) -> Pause:
    """Pause the queue, by the server's clock; or change the end of a pause."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.get(keys.SUSPENDED)
        (seconds, _), before = pipeline.execute(raise_on_error=False)
    now = datetime.fromtimestamp(seconds, UTC)
    found = read_pause(unless_wrong_type(before, b""))
    made = Pause(found.since if found and found.since else now, now + duration if duration else None)
    connection.set(keys.SUSPENDED, write_pause(made), px=duration)
    return made


def resume(connection: Redis) -> bool:
    return bool(connection.delete(keys.SUSPENDED))


def write_pause(pause: Pause) -> str:
    """Write the pause in words, for people who read Redis."""
    times = {"since": pause.since, "until": pause.until}
    return " ".join(f"{name} {clock.to_text(time)}" for name, time in times.items() if time)


def read_pause(value: bytes | None) -> Pause | None:
    """Read the stored pause; any value pauses the queue."""
    if value is None:
        return None
    words = _WORDS.fullmatch(value.decode(errors="replace"))
    try:
        return Pause(clock.from_text(words[1]), clock.from_text(words[2] or "")) if words else Pause()
    except ValueError:
        return Pause()
