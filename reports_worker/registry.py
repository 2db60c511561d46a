"""The job registry behind the list of all reports: every id, in the order of their making.

RQ's own registries know where a job stands and when it expires, but not when it was made;
they serve to write this one anew if it is lost.
"""

from __future__ import annotations

from redis import Redis

from . import keys
from .task_ids import is_task_id


def read_ids(connection: Redis, *, limit: int, before: str | None = None) -> tuple[list[str], int]:
    """Read the newest ids, or those made before `before`, and how many there are in all.

    One round trip, of the same cost at any size. An id need not exist any more to be a cursor.
    """
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.zrevrangebylex(keys.REGISTRY, f"({before}" if before else "+", "-", start=0, num=limit)
        pipeline.zcard(keys.REGISTRY)
        members, total = pipeline.execute()
    return [member.decode() for member in members], total


def rebuild(connection: Redis) -> int:
    """Write the registry anew from RQ's own; return how many ids it holds now."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.lrange(keys.QUEUED, 0, -1)
        pipeline.lrange(keys.INTERMEDIATE, 0, -1)
        for name in (keys.STARTED, keys.FINISHED, keys.FAILED):
            pipeline.zrange(name, 0, -1)
        members = [member.decode().partition(":")[0] for part in pipeline.execute() for member in part]
    ids = {member for member in members if is_task_id(member)}
    if ids:
        connection.zadd(keys.REGISTRY, dict.fromkeys(ids, 0))
    return connection.zcard(keys.REGISTRY)
