"""The pause of the queue as it stands in Redis: RQ's own suspension, which here says since and until when.

Workers look at it before each report, and the script that begins one looks again: a worker that waited for a
report already when the queue was paused puts it back.
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
    """Pause the queue, by the server's clock; or say anew until when it is paused."""
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
    """Write it in words that people can read who look into Redis."""
    times = {"since": pause.since, "until": pause.until}
    return " ".join(f"{name} {clock.to_text(time)}" for name, time in times.items() if time)


def read_pause(value: bytes | None) -> Pause | None:
    """Read what stands in Redis; whatever it is, the queue is paused by it."""
    if value is None:
        return None
    words = _WORDS.fullmatch(value.decode(errors="replace"))
    try:
        return Pause(clock.from_text(words[1]), clock.from_text(words[2] or "")) if words else Pause()
    except ValueError:
        return Pause()
