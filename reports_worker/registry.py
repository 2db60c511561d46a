"""The job registry behind the list of all reports: every id, in the order of their making.

RQ's own registries know where a job stands and when it expires, but not when it was made;
they serve to write this one anew if it is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from redis import Redis

from . import keys
from .task_ids import is_task_id

PAGE = 500


def read_ids(
    connection: Redis, *, limit: int, before: str | None = None
) -> tuple[list[str], int, bytes | None]:
    """Read the newest ids, or those made before `before`; how many there are in all; what pauses the queue.

    One round trip, of the same cost at any size. An id need not exist any more to be a cursor.
    """
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.zrevrangebylex(keys.REGISTRY, f"({before}" if before else "+", "-", start=0, num=limit)
        pipeline.zcard(keys.REGISTRY)
        pipeline.get(keys.SUSPENDED)
        members, total, suspended = pipeline.execute()
    return [member.decode() for member in members], total, suspended


def rebuild(connection: Redis) -> int:
    """Write into the registry what stands in RQ's own; return how many ids it holds now."""
    for page in _read_pages(connection):
        if ids := {member for member in page if is_task_id(member)}:
            connection.zadd(keys.REGISTRY, dict.fromkeys(ids, 0))
    return connection.zcard(keys.REGISTRY)


def _read_pages(connection: Redis) -> Iterator[list[str]]:
    """Read every id there is, some at a time: the broker serves others in between."""
    readers: dict[str, Callable[..., Any]] = {
        **dict.fromkeys((keys.QUEUED, keys.INTERMEDIATE), connection.lrange),
        **dict.fromkeys((keys.STARTED, keys.FINISHED, keys.FAILED), connection.zrange),
    }
    for name, read in readers.items():
        begin = 0
        while members := read(name, begin, begin + PAGE - 1):
            yield [member.decode().partition(":")[0] for member in members]
            begin += PAGE
