"""Foreign members of the sets that no script of a worker reads to its end.

RQ's registries, the callback outbox while callbacks are off, and RQ's sets of workers: RQ's own tools fail over each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from reports_worker.broker import keys
from reports_worker.broker.errors import is_wrong_type

from .stored_entries import decode_id, set_aside

STEP = 500
_REGISTRIES = (keys.FINISHED, keys.FAILED, keys.SCHEDULED, keys.DEFERRED, keys.CANCELED, keys.DELIVERIES)
_WORKERS = (keys.WORKERS, keys.ALL_WORKERS)


def _read_time(text: str) -> datetime:
    """Read a time as RQ's `utcparse` does; raise ValueError for what RQ cannot read."""
    time_format = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.strptime(text, time_format).replace(tzinfo=UTC)


# How RQ's `Worker.refresh` reads the fields of a worker that are no text; each raises ValueError.
_READERS: Mapping[str, Callable[[str], object]] = {
    "birth": _read_time,
    "last_heartbeat": _read_time,
    "pid": int,
    "failed_job_count": int,
    "successful_job_count": int,
    "total_working_time": float,
}


class ForeignMembers:
    """Takes foreign members into quarantine, some of each key at a time. Methods raise redis-py's errors."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._cursors = dict.fromkeys((*_REGISTRIES, *_WORKERS), 0)

    def take_out_some(self) -> None:
        """Examine about `STEP` further members of each key; two round trips where none is foreign.

        A key of the wrong type raises its error after the other keys.
        """
        self._examine(self._cursors)

    def take_out_all(self) -> None:
        """Examine every member, some at a time, so that the broker serves other clients in between."""
        cursors = dict.fromkeys(self._cursors, 0)
        while cursors:
            self._examine(cursors)
            cursors = {key: cursor for key, cursor in cursors.items() if cursor}

    def _examine(self, cursors: dict[str, int]) -> None:
        """Examine members from these cursors on, and advance the cursors."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for key, cursor in cursors.items():
                scan = pipeline.sscan if key in _WORKERS else pipeline.zscan
                scan(key, cursor, count=STEP)
            answers = pipeline.execute(raise_on_error=False)
        found, errors = dict[str, list[bytes]](), list[RedisError]()
        for key, answer in zip(tuple(cursors), answers, strict=True):
            if isinstance(answer, RedisError):
                errors.append(answer)
                cursors[key] = 0
            else:
                cursors[key] = answer[0]
                found[key] = answer[1] if key in _WORKERS else [member for member, _ in answer[1]]
        self._take_out(found)
        if errors:
            raise errors[0]

    def _take_out(self, found: Mapping[str, Sequence[bytes]]) -> None:
        broken = self._find_broken({member for key in _WORKERS for member in found.get(key, ())})
        for key, members in found.items():
            if key in _WORKERS:
                foreign = [member for member in members if member in broken]
            else:
                foreign = [member for member in members if decode_id(member) is None]
            if foreign:
                self._remove(key, foreign)

    def _find_broken(self, members: set[bytes]) -> set[bytes]:
        """Find the members that are no keys of workers, or whose records RQ cannot read.

        A record with an expiry is left: its worker is alive and perhaps of a newer version, or the record expires.
        """
        names = sorted(members)
        with self._connection.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hgetall(cast(str, name))
                pipeline.ttl(cast(str, name))
            answers = pipeline.execute(raise_on_error=False) if names else []
        return {
            name
            for name, record, seconds in zip(names, answers[::2], answers[1::2], strict=True)
            if not _is_worker_key(name) or not (_is_readable(record) or seconds >= 0)
        }

    def _remove(self, key: str, members: Sequence[bytes]) -> None:
        """Remove members, and set those aside that no other worker has removed at the same time."""
        with self._connection.pipeline(transaction=False) as pipeline:
            remove: Callable[[Pipeline, str, bytes], Any] = (
                Pipeline.srem if key in _WORKERS else Pipeline.zrem
            )
            for member in members:
                remove(pipeline, key, member)
            counts = pipeline.execute()
        if removed := [member for member, count in zip(members, counts, strict=True) if count]:
            set_aside(self._connection, key, removed)


def _is_worker_key(name: bytes) -> bool:
    try:
        return name.decode().startswith(keys.WORKER_PREFIX)
    except UnicodeDecodeError:
        return False


def _is_readable(record: Mapping[bytes, bytes] | RedisError) -> bool:
    """Return whether RQ can read the record of a worker; the record of a worker that is gone has no fields."""
    if isinstance(record, RedisError):
        if is_wrong_type(record):
            return False
        raise record
    try:
        fields = {name.decode(): value.decode() for name, value in record.items()}
        for name, read in _READERS.items():
            if fields.get(name):
                read(fields[name])
    except ValueError:
        return False
    return True
