"""The job registry behind the list of all reports: every id, in the order of creation.

RQ's own registries know the place and the expiry of a job, but not its creation; this registry is rebuilt from them
if it is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

from reports_worker.broker import keys
from reports_worker.broker.errors import unless_wrong_type

from .scripts import load_script
from .stored_entries import decode_ids

PAGE = 500
# The most pages that are read for one answer from a registry full of foreign entries.
_MOST_PAGES = 20


def read_ids(
    connection: Redis, *, limit: int, before: str | None = None
) -> tuple[list[str], int, bytes | None]:
    """Read the newest ids, or those before `before`; the number of all; and the stored pause of the queue.

    One round trip, of the same cost at any size; more only where foreign entries are skipped. The id of a deleted
    report is a valid cursor.
    """
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.zrevrangebylex(keys.REGISTRY, f"({before}" if before else "+", "-", start=0, num=limit)
        pipeline.zcard(keys.REGISTRY)
        pipeline.get(keys.SUSPENDED)
        entries, total, suspended = pipeline.execute(raise_on_error=False)
    if isinstance(entries, RedisError):
        raise entries
    is_last = len(entries) < limit
    entries = _order(entries, before.encode() if before else None)
    ids = decode_ids(entries)
    for _ in range(_MOST_PAGES):
        if len(ids) >= limit or is_last or not entries:
            break
        entries = read_entries(connection, before=entries[-1])
        is_last = len(entries) < PAGE
        ids += decode_ids(entries)
    return ids[:limit], total, unless_wrong_type(suspended, b"")


def read_entries(connection: Redis, *, before: bytes | None = None, count: int = PAGE) -> list[bytes]:
    """Read the newest entries of the registry, or those before one of them, foreign ones too; newest first."""
    highest = b"+" if before is None else b"(" + before
    found = connection.zrevrangebylex(keys.REGISTRY, cast(str, highest), "-", start=0, num=count)
    return _order(cast(list[bytes], found), before)


def _order(entries: Iterable[bytes], before: bytes | None) -> list[bytes]:
    """Return the entries before one of them, newest first.

    Redis does so unless scores differ. Then each page still begins after the last one, so that paging ends.
    """
    return sorted((entry for entry in entries if before is None or entry < before), reverse=True)


def level_scores(connection: Redis) -> int:
    """Set scores that are not 0 back to 0, a page at a time; return how many were set."""
    level, mended = load_script(connection, "level_index"), 0
    for _ in range(_MOST_PAGES):
        count = cast(int, level([keys.REGISTRY], [PAGE]))
        mended += count
        if count < PAGE:
            break
    return mended


def rebuild(connection: Redis) -> int:
    """Write the ids of RQ's own registries into this one; return how many ids it holds."""
    for page in _read_pages(connection):
        if ids := decode_ids(page):
            connection.zadd(keys.REGISTRY, dict.fromkeys(ids, 0))
    return connection.zcard(keys.REGISTRY)


def _read_pages(connection: Redis) -> Iterator[list[bytes]]:
    """Read every entry, a page at a time, so that the broker serves other clients in between."""
    readers: dict[str, Callable[..., Any]] = {
        **dict.fromkeys((keys.QUEUED, keys.INTERMEDIATE), connection.lrange),
        **dict.fromkeys((keys.STARTED, keys.FINISHED, keys.FAILED), connection.zrange),
    }
    for name, read in readers.items():
        begin = 0
        while entries := read(name, begin, begin + PAGE - 1):
            yield [entry.partition(b":")[0] for entry in entries]
            begin += PAGE
